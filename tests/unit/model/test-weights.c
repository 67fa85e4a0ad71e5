/* Versions that trainings make: their ids and what they start from. */
#include "model/weights.h"
#include "base/hash.h"

#define BASE "1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT "2222222222222222222222222222222222222222222222222222222222222222"
#define SHA "3333333333333333333333333333333333333333333333333333333333333333"
#define OTHER "4444444444444444444444444444444444444444444444444444444444444444"

static VendVersion
a_base (json_t *launch, json_t *openapi)
{
  return (VendVersion){
    .id = (char *) BASE, .cog_version = (char *) "0.22.0", .openapi = openapi, .launch = launch
  };
}

static void
test_trained (void)
{
  json_auto_t *launch = json_pack ("{s:s, s:s}", "venv", "k", "predict", "p.py:P");
  json_auto_t *openapi = json_object ();
  const VendVersion base = a_base (launch, openapi);
  const VendWeights weights = { (char *) "w.bin", 5, (char *) SHA };
  g_autoptr (VendVersion) made = vend_version_trained (&base, &weights);
  g_autofree char *id
      = vend_sha256_text ("{\"base\":\"" BASE "\",\"format\":1,\"weights\":\"" SHA "\"}");
  g_assert_cmpstr (made->id, ==, id);
  g_assert_cmpstr (made->base, ==, BASE);
  g_assert_cmpstr (made->source, ==, BASE);
  g_assert_cmpstr (made->source_sha256, ==, "");
  g_assert_true (made->openapi == openapi);
  g_assert_cmpstr (vend_json_string (made->launch, "venv"), ==, "k");
  g_assert_cmpstr (vend_version_source (made->id, made->launch), ==, BASE);
  g_autoptr (VendWeights) back = vend_weights_of_launch (made->launch);
  g_assert_cmpstr (back->name, ==, "w.bin");
  g_assert_cmpint (back->size, ==, 5);
  g_assert_cmpstr (back->sha256, ==, SHA);
  /* The base is as it was. */
  g_assert_null (vend_weights_of_launch (launch));
  g_assert_cmpstr (vend_version_source (BASE, launch), ==, BASE);
}

static void
test_trained_again (void)
{
  json_auto_t *launch = json_pack ("{s:s, s:{s:s, s:i, s:s}}", "source", ROOT, "weights", "name",
                                   "old.bin", "size", 1, "sha256", OTHER);
  json_auto_t *openapi = json_object ();
  const VendVersion base = a_base (launch, openapi);
  const VendWeights weights = { (char *) "new.bin", 7, (char *) SHA };
  const VendWeights others = { (char *) "new.bin", 7, (char *) OTHER };
  g_autoptr (VendVersion) made = vend_version_trained (&base, &weights);
  g_autoptr (VendVersion) again = vend_version_trained (&base, &weights);
  g_autoptr (VendVersion) other = vend_version_trained (&base, &others);
  g_assert_cmpstr (made->id, ==, again->id);
  g_assert_cmpstr (made->id, !=, other->id);
  g_assert_cmpstr (made->base, ==, BASE);
  g_assert_cmpstr (made->source, ==, ROOT);
  g_autoptr (VendWeights) newest = vend_weights_of_launch (made->launch);
  g_assert_cmpstr (newest->name, ==, "new.bin");
}

static void
test_no_weights (void)
{
  const char *const bad[] = {
    "{}",
    "{\"weights\": null}",
    "{\"weights\": {\"name\": \"w\"}}",
    "{\"weights\": {\"sha256\": \"" SHA "\"}}",
    "{\"weights\": {\"name\": \"w\", \"sha256\": \"../../etc/passwd\"}}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_auto_t *launch = json_loads (bad[i], 0, NULL);
      g_assert_null (vend_weights_of_launch (launch));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weights/trained", test_trained);
  g_test_add_func ("/weights/trained-again", test_trained_again);
  g_test_add_func ("/weights/none", test_no_weights);
  return g_test_run ();
}
