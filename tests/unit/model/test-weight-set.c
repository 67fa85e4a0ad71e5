/* Sets of managed weights: their digest, their JSON, and what cannot be one. */
#include "model/weight-set.h"
#include "base/error.h"
#include <string.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static VendWeightSet *
some_set (void)
{
  VendWeightSet *set = vend_weight_set_new ();
  set->name = g_strdup ("base");
  set->target = g_strdup ("weights");
  set->source = g_strdup ("hf://lab/tiny@main");
  set->can_fetch = true;
  vend_weight_set_add (set, "z", 5, B);
  vend_weight_set_add (set, "sub/b", 7, A);
  vend_weight_set_seal (set);
  return set;
}

static void
test_json (void)
{
  g_autoptr (VendWeightSet) set = some_set ();
  g_autoptr (VendWeightSet) again = NULL;
  g_autoptr (GError) error = NULL;
  json_auto_t *object = vend_weight_set_to_json (set);
  g_autofree char *list = g_strdup (A "  sub/b\n" B "  z");
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, list, -1);
  g_assert_cmpint (set->size, ==, 12);
  g_assert_cmpstr (set->digest, ==, digest);
  g_assert_true (vend_weight_set_from_json (object, &again, &error));
  json_auto_t *same = vend_weight_set_to_json (again);
  g_assert_true (json_equal (object, same));

  json_auto_t *launch = json_pack ("{s:[O, {}]}", VEND_LAUNCH_WEIGHTS, object);
  g_autoptr (GPtrArray) sets = vend_weight_sets_of_launch (launch);
  g_assert_cmpuint (sets->len, ==, 1);
  json_auto_t *content = vend_weight_sets_content (sets);
  json_auto_t *expected
      = json_pack ("[{s:s, s:s, s:s}]", "name", "base", "target", "weights", "digest", digest);
  g_assert_true (json_equal (content, expected));
  g_ptr_array_set_size (sets, 0);
  g_assert_null (vend_weight_sets_content (sets));
}

/* Each change makes it no set. */
static void
test_bad_json (void)
{
  static const char *const bad[] = {
    "{\"name\": \"../x\"}",
    "{\"name\": null}",
    "{\"target\": \"/x\"}",
    "{\"target\": \"a/../b\"}",
    "{\"digest\": \"" A "\"}",
    "{\"source\": 5}",
    "{\"files\": []}",
    "{\"files\": [{\"path\": \"/etc/x\", \"size\": 1, \"sha256\": \"" A "\"}]}",
    "{\"files\": [{\"path\": \"x\", \"size\": -1, \"sha256\": \"" A "\"}]}",
    "{\"files\": [{\"path\": \"x\", \"size\": 1, \"sha256\": \"x\"}]}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendWeightSet) set = some_set ();
      g_autoptr (GError) error = NULL;
      VendWeightSet *out = NULL;
      json_auto_t *object = vend_weight_set_to_json (set);
      json_auto_t *change = json_loads (bad[i], 0, NULL);
      json_object_update (object, change);
      g_test_message ("%s", bad[i]);
      g_assert_false (vend_weight_set_from_json (object, &out, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (out);
    }
}

static void
test_bad_trees (void)
{
  static const char *const others[] = { "z", "z/a", "sub" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (VendWeightSet) set = some_set ();
      g_autoptr (VendWeightSet) out = NULL;
      g_autoptr (GError) error = NULL;
      vend_weight_set_add (set, others[i], 1, A);
      vend_weight_set_add (set, "z-", 1, A);
      vend_weight_set_seal (set);
      json_auto_t *object = vend_weight_set_to_json (set);
      g_assert_false (vend_weight_set_from_json (object, &out, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
}

static void
test_paths (void)
{
  g_assert_true (vend_weight_path_is_good ("a/b.c/d e"));
  static const char *const bad[] = { "", "/a", "a//b", "a/", ".", "..", "a/../b", "a\\b", "a\nb" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (vend_weight_path_is_good (bad[i]));
  g_autofree char *long_path = g_strnfill (VEND_WEIGHT_PATH_MAX + 1, 'a');
  g_assert_false (vend_weight_path_is_good (long_path));
  g_assert_true (vend_weight_paths_overlap ("a", "a/b"));
  g_assert_true (vend_weight_paths_overlap ("a/b", "a/b"));
  g_assert_false (vend_weight_paths_overlap ("a", "ab"));
  g_assert_true (vend_weight_name_is_good ("a.b-1"));
  g_assert_false (vend_weight_name_is_good (".a"));
  g_assert_false (vend_weight_name_is_good (""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/weight-set/json", test_json);
  g_test_add_func ("/model/weight-set/bad-json", test_bad_json);
  g_test_add_func ("/model/weight-set/bad-trees", test_bad_trees);
  g_test_add_func ("/model/weight-set/paths", test_paths);
  return g_test_run ();
}
