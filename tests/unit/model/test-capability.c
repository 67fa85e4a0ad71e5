/* Capabilities: what fits, what does not, and the names of event streams. */
#include "model/capability.h"
#include "base/id.h"
#include "model/prediction.h"
#include <string.h>

static const guint8 key[VEND_CAPABILITY_KEY_BYTES] = "0123456789abcdef0123456789abcde";

static void
test_without_key (void)
{
  VendPrediction prediction = { .id = (char *) "abcdefghijklmnopqrstuvwxyz" };
  json_auto_t *shown = NULL;
  g_assert_null (vend_capability_new ("a", "b"));
  g_assert_false (vend_capability_fits ("a", "b", "00000000000000000000000000000000"));
  g_assert_null (vend_prediction_stream_token (&prediction));
  prediction.logs = prediction.model = prediction.version = (char *) "";
  shown = vend_prediction_to_json (&prediction, "http://h", VEND_VIEW_TRUTH);
  g_assert_null (json_object_get (json_object_get (shown, "urls"), "stream"));
}

static void
test_fits (void)
{
  vend_capability_set_key (key);
  g_autofree char *one = vend_capability_new ("stream", "text");
  g_autofree char *again = vend_capability_new ("stream", "text");
  /* HMAC-SHA256 by another implementation, 24 bytes in base64url. */
  g_assert_cmpstr (one, ==, "EJm8ekBBLHKXqO0EmOhVSit5WtN5uG2b");
  g_assert_cmpstr (one, ==, again);
  g_assert_cmpuint (strlen (one), ==, VEND_CAPABILITY_LENGTH);
  g_assert_true (vend_capability_fits ("stream", "text", one));
  g_assert_false (vend_capability_fits ("output", "text", one));
  g_assert_false (vend_capability_fits ("stream", "texts", one));
  g_assert_false (vend_capability_fits ("streamtext", "", one));
  for (gsize i = 0; i < VEND_CAPABILITY_LENGTH; i++)
    {
      g_autofree char *other = g_strdup (one);
      other[i] = other[i] == 'x' ? 'y' : 'x';
      g_assert_false (vend_capability_fits ("stream", "text", other));
      other[i] = '\0';
      g_assert_false (vend_capability_fits ("stream", "text", other));
    }
}

static void
test_stream_tokens (void)
{
  g_autofree char *id = vend_id_new ();
  VendPrediction prediction = { .id = id };
  vend_capability_set_key (key);
  g_autofree char *token = vend_prediction_stream_token (&prediction);
  g_autofree char *found = vend_stream_token_id (token);
  g_autofree char *longer = g_strconcat (token, "a", NULL);
  g_assert_cmpstr (found, ==, id);
  g_assert_null (vend_stream_token_id (longer));
  g_assert_null (vend_stream_token_id (token + 1));
  g_assert_null (vend_stream_token_id (id));
  g_assert_null (vend_stream_token_id (""));
  token[0] = token[0] == 'a' ? 'b' : 'a';
  g_assert_null (vend_stream_token_id (token));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/capability/without-key", test_without_key);
  g_test_add_func ("/model/capability/fits", test_fits);
  g_test_add_func ("/model/capability/stream-tokens", test_stream_tokens);
  return g_test_run ();
}
