/* Links that read an object without credentials. libcurl signs requests only, so the chain of
 * HMACs stands here. */
#include "files/s3-private.h"
#include "base/hash.h"
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

static void
sign_text (const void *key, gsize key_size, const char *text, guint8 out[VEND_HMAC_SIZE])
{
  vend_hmac_sha256 (key, key_size, "", text, strlen (text), out);
}

static char *
signature_of (const VendS3 *s3, const char *day, const char *text)
{
  g_autofree char *first = g_strconcat ("AWS4", s3->secret, NULL);
  guint8 one[VEND_HMAC_SIZE], other[VEND_HMAC_SIZE];
  sign_text (first, strlen (first), day, one);
  sign_text (one, sizeof one, s3->region, other);
  sign_text (other, sizeof other, "s3", one);
  sign_text (one, sizeof one, "aws4_request", other);
  sign_text (other, sizeof other, text, one);
  explicit_bzero (first, strlen (first));
  return vend_hex (one, sizeof one);
}

/* In the order of names, as it is signed. */
static char *
query_of (const VendS3 *s3, const char *scope, const char *time, const char *content_type,
          guint life_s)
{
  g_autoptr (GString) query = g_string_new ("X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
  g_autofree char *credential = g_strconcat (s3->key_id, "/", scope, NULL);
  g_string_append_uri_escaped (query, credential, NULL, FALSE);
  g_string_append_printf (query, "&X-Amz-Date=%s&X-Amz-Expires=%u", time, life_s);
  if (s3->session != NULL)
    {
      g_string_append (query, "&X-Amz-Security-Token=");
      g_string_append_uri_escaped (query, s3->session, NULL, FALSE);
    }
  g_string_append (query, "&X-Amz-SignedHeaders=host&response-content-type=");
  g_string_append_uri_escaped (query, content_type, NULL, FALSE);
  return g_string_free (g_steal_pointer (&query), FALSE);
}

char *
vend_s3_link (const VendS3 *s3, const char *name, const char *content_type, guint life_s)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  g_autofree char *day = g_strndup (time, 8);
  g_autofree char *scope = g_strdup_printf ("%s/%s/s3/aws4_request", day, s3->region);
  g_autofree char *query = query_of (s3, scope, time, content_type, life_s);
  g_autofree char *request = g_strdup_printf ("GET\n%s/%s%s\n%s\nhost:%s\n\nhost\nUNSIGNED-PAYLOAD",
                                              s3->path, s3->prefix, name, query, s3->host);
  g_autofree char *hash = vend_sha256_text (request);
  g_autofree char *text = g_strdup_printf (ALGORITHM "\n%s\n%s\n%s", time, scope, hash);
  g_autofree char *signature = signature_of (s3, day, text);
  return g_strdup_printf ("%s/%s%s?%s&X-Amz-Signature=%s", s3->base, s3->prefix, name, query,
                          signature);
}
