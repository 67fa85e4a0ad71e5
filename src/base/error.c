/* The one error domain of Vend and the table that maps it to HTTP. */
#include "base/error.h"
#include <errno.h>
#include <string.h>

static const VendErrorInfo infos[VEND_ERROR_N_CODES] = {
  [VEND_ERROR_INVALID] = { "invalid", 422, "Invalid request" },
  [VEND_ERROR_UNAUTHORIZED] = { "unauthorized", 401, "Unauthenticated" },
  [VEND_ERROR_FORBIDDEN] = { "forbidden", 403, "Forbidden" },
  [VEND_ERROR_PAYMENT] = { "payment", 402, "Insufficient credit" },
  [VEND_ERROR_NOT_FOUND] = { "not-found", 404, "Not found" },
  [VEND_ERROR_EXISTS] = { "exists", 409, "Already exists" },
  [VEND_ERROR_CONFLICT] = { "conflict", 409, "Conflict" },
  [VEND_ERROR_BAD_REQUEST] = { "bad-request", 400, "Bad request" },
  [VEND_ERROR_MEDIA_TYPE] = { "media-type", 415, "Unsupported media type" },
  [VEND_ERROR_TOO_LARGE] = { "too-large", 413, "Too large" },
  [VEND_ERROR_RATE_LIMITED] = { "rate-limited", 429, "Too many requests" },
  [VEND_ERROR_BUSY] = { "busy", 503, "Busy" },
  [VEND_ERROR_TIMEOUT] = { "timeout", 504, "Timed out" },
  [VEND_ERROR_CANCELED] = { "canceled", 409, "Canceled" },
  [VEND_ERROR_UNAVAILABLE] = { "unavailable", 503, "Unavailable" },
  [VEND_ERROR_RUNNER] = { "runner-failed", 502, "Model server failed" },
  [VEND_ERROR_STORAGE] = { "storage", 500, "Storage failure" },
  [VEND_ERROR_NO_SPACE] = { "no-space", 507, "Insufficient storage" },
  [VEND_ERROR_INTERNAL] = { "internal", 500, "Internal error" },
};

G_DEFINE_QUARK (vend - error - quark, vend_error)

const VendErrorInfo *
vend_error_info (const GError *error)
{
  if (error->domain != VEND_ERROR || error->code < 0 || error->code >= VEND_ERROR_N_CODES)
    return &infos[VEND_ERROR_INTERNAL];
  return &infos[error->code];
}

bool
vend_fail (GError **error, VendError code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  if (strlen (valid) > VEND_ERROR_TEXT_BYTES)
    {
      char *end = valid + VEND_ERROR_TEXT_BYTES - strlen ("...");
      while (((guchar) *end & 0xc0) == 0x80)
        end--;
      memcpy (end, "...", sizeof "...");
    }
  g_set_error_literal (error, VEND_ERROR, (int) code, valid);
  return false;
}

bool
vend_fail_errno (GError **error, VendError code, int saved_errno, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  const bool is_full = saved_errno == ENOSPC || saved_errno == EDQUOT || saved_errno == EFBIG;
  return vend_fail (error, is_full && code == VEND_ERROR_STORAGE ? VEND_ERROR_NO_SPACE : code,
                    "%s: %s", text, g_strerror (saved_errno));
}
