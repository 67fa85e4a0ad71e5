/* Cog's weights.lock. */
#include "build/weights-lock.h"
#include "base/error.h"
#include "base/fd.h"
#include <string.h>

#define COMMIT "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
#define SUM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LOCK \
  "{\"version\": 1, \"weights\": [{\"name\": \"base\", \"target\": \"/src/weights\", \"sources\":" \
  " [{\"uri\": \"hf://lab/tiny\", \"fingerprint\": \"commit:" COMMIT "\"}], \"files\":" \
  " [{\"path\": \"a\", \"size\": 1, \"digest\": \"sha256:" SUM_A "\"}," \
  " {\"path\": \"sub/b\", \"size\": 2, \"digest\": \"sha256:" SUM_B "\"}]}]}"

static bool
load (const char *text, json_t **out, GError **error)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-lock-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, VEND_WEIGHTS_LOCK, NULL);
  g_autoptr (GError) removal = NULL;
  if (text != NULL)
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
  const bool good = vend_weights_lock_load (dir, out, error);
  g_assert_true (vend_tree_remove (dir, &removal));
  return good;
}

static json_t *
lock_of (const char *text)
{
  json_t *lock = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (load (text, &lock, &error));
  g_assert_no_error (error);
  return lock;
}

static void
test_load (void)
{
  static const char *const bad[]
      = { "", "[]", "{\"version\": 2, \"weights\": []}", "{\"version\": 1}", "{" };
  g_assert_null (lock_of (NULL));
  json_auto_t *lock = lock_of (LOCK);
  g_assert_nonnull (lock);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_t *none = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (load (bad[i], &none, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, VEND_WEIGHTS_LOCK ": "));
      g_assert_null (none);
    }
}

static void
test_pin (void)
{
  static const struct
  {
    const char *name;
    const char *uri;
    const char *expected; /* NULL: refused */
  } cases[] = {
    { "base", "hf://lab/tiny@main", "hf://lab/tiny@" COMMIT },
    { "base", "hf://lab/tiny@0123456789012345678901234567890123456789",
      "hf://lab/tiny@0123456789012345678901234567890123456789" },
    { "other", "hf://lab/tiny@main", "hf://lab/tiny@main" },
    { "other", "weights", "file://weights" },
    { "base", "hf://lab/large@main", NULL },
    { "base", "https://host/a", NULL },
  };
  json_auto_t *lock = lock_of (LOCK);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendWeightSource) source = NULL;
      g_autoptr (VendWeightSource) pinned = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_weight_source_parse (cases[i].uri, NULL, NULL, NULL, &source, &error));
      const bool good = vend_weights_lock_pin (lock, cases[i].name, source, &pinned, &error);
      g_assert_cmpint (good, ==, cases[i].expected != NULL);
      if (good)
        g_assert_cmpstr (pinned->uri, ==, cases[i].expected);
      else
        g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
}

static VendWeightSet *
set_of (const char *name, const char *second, const char *sum)
{
  VendWeightSet *set = vend_weight_set_new ();
  set->name = g_strdup (name);
  set->source = g_strdup ("hf://lab/tiny@" COMMIT);
  vend_weight_set_add (set, "a", 1, SUM_A);
  if (second != NULL)
    vend_weight_set_add (set, second, 2, sum);
  vend_weight_set_seal (set);
  return set;
}

static void
test_check (void)
{
  static const struct
  {
    const char *name;
    const char *path;
    const char *sum;
    const char *problem; /* NULL: none */
    bool is_pinned;
  } cases[] = {
    { "base", "sub/b", SUM_B, NULL, true },
    { "other", "c", SUM_A, NULL, false },
    { "base", "sub/b", SUM_A, "'sub/b' has another checksum", true },
    { "base", NULL, NULL, "'sub/b' is missing", true },
    { "base", "c", SUM_B, "'sub/b' is missing", true },
  };
  json_auto_t *lock = lock_of (LOCK);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendWeightSet) set = set_of (cases[i].name, cases[i].path, cases[i].sum);
      g_autoptr (GError) error = NULL;
      bool is_pinned = false;
      g_assert_cmpint (vend_weights_lock_check (lock, set, &is_pinned, &error), ==,
                       cases[i].problem == NULL);
      g_assert_cmpint (is_pinned, ==, cases[i].is_pinned);
      if (cases[i].problem != NULL)
        g_assert_nonnull (strstr (error->message, cases[i].problem));
    }
  g_autoptr (VendWeightSet) more = set_of ("base", "sub/b", SUM_B);
  g_autoptr (GError) error = NULL;
  bool is_pinned = false;
  vend_weight_set_add (more, "z", 3, SUM_A);
  g_assert_false (vend_weights_lock_check (lock, more, &is_pinned, &error));
  g_assert_nonnull (strstr (error->message, "'z' is not in it"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/weights-lock/load", test_load);
  g_test_add_func ("/build/weights-lock/pin", test_pin);
  g_test_add_func ("/build/weights-lock/check", test_check);
  return g_test_run ();
}
