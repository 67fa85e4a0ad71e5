/* Refusals of the registry. */
#include "api/registry-reply.h"
#include "base/error.h"
#include "json/json.h"
#include <string.h>

/* Clients look for these words, and show the rest. */
#define LOG_IN \
  "authentication required: log in with any user name and a token of this server as the password"

VendReply *
vend_oci_refuse_status (VendOciCode code, int status, const char *text)
{
  json_auto_t *body = json_pack ("{s:[{s:s, s:s}]}", "errors", "code",
                                 vend_oci_code_info (code)->name, "message", text);
  char *json = vend_json_text (body);
  VendReply *reply = vend_reply_json_text (status, json, strlen (json));
  if (code == VEND_OCI_UNAUTHORIZED)
    vend_reply_header (reply, "WWW-Authenticate", "Basic realm=\"vend\"");
  return reply;
}

VendReply *
vend_oci_refuse (VendOciCode code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return vend_oci_refuse_status (code, vend_oci_code_info (code)->status, valid);
}

VendReply *
vend_oci_refuse_error (VendOciCode code, const GError *error)
{
  const int status = vend_error_info (error)->http_status;
  if (status >= 500)
    return vend_reply_error (error);
  switch ((VendError) error->code)
    {
    case VEND_ERROR_UNAUTHORIZED:
      return vend_oci_refuse (VEND_OCI_UNAUTHORIZED, LOG_IN);
    case VEND_ERROR_FORBIDDEN:
      return vend_oci_refuse (VEND_OCI_DENIED, "%s", error->message);
    case VEND_ERROR_TOO_LARGE:
      return vend_oci_refuse_status (VEND_OCI_DENIED, status, error->message);
    case VEND_ERROR_CONFLICT:
      return vend_oci_refuse_status (code, status, error->message);
    default:
      return vend_oci_refuse (code, "%s", error->message);
    }
}

VendReply *
vend_oci_throttled (int64_t seconds)
{
  VendReply *reply = vend_oci_refuse (
      VEND_OCI_TOOMANYREQUESTS, "too many requests; try again in %" G_GINT64_FORMAT " s", seconds);
  g_autofree char *retry_after = g_strdup_printf ("%" G_GINT64_FORMAT, seconds);
  vend_reply_header (reply, "Retry-After", retry_after);
  return reply;
}
