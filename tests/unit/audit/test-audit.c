/* An audit of live states that a server which works never has. */
#include "audit/audit.h"
#include "base/fd.h"
#include "runner/runner-process.h"
#include "store/store.h"
#include "support/test-database.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  char *dir;
} Fixture;

static void
set_up (Fixture *fixture, const void *unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendStore) store = NULL;
  fixture->dir = g_dir_make_tmp ("vend-audit-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *path = test_database (fixture->dir);
  const VendStoreOptions options = { .path = path, .readers = 1 };
  g_assert_true (vend_store_open (&options, &store, &error));
  for (const char *const *name = (const char *const[]){ "a", "b", NULL }; *name != NULL; name++)
    {
      g_autofree char *folder = g_build_filename (fixture->dir, "instances", *name, NULL);
      g_assert_true (vend_dir_ensure (folder, &error));
    }
}

static void
tear_down (Fixture *fixture, const void *unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (fixture->dir, &error));
  g_free (fixture->dir);
}

/* What is found with two instances, a and b, of which these are said. */
static GPtrArray *
look (const Fixture *fixture, const char *a, const char *b, const char *rest)
{
  g_autofree char *text = g_strdup_printf (
      "{\"instances\": [{\"id\": \"a\", \"state\": \"ready\", \"slots\": 1, %s}, "
      "{\"id\": \"b\", \"state\": \"ready\", \"slots\": 1, %s}], \"open\": [], %s}",
      a, b, rest);
  g_autoptr (GError) error = NULL;
  json_auto_t *live = NULL;
  GPtrArray *checks = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &live, &error));
  g_autofree char *instances = g_build_filename (fixture->dir, VEND_INSTANCES_FOLDER, NULL);
  g_autoptr (VendRunner) runner = vend_runner_process_new (instances, NULL);
  g_autofree char *store = test_database (fixture->dir);
  g_assert_true (vend_audit_run (
      &(VendAuditOptions){
          .data_dir = fixture->dir, .store = store, .runner = runner, .live = live },
      &checks, &error));
  return checks;
}

static const VendAuditCheck *
check_of (const GPtrArray *checks, const char *name)
{
  for (guint i = 0; i < checks->len; i++)
    if (strcmp (((const VendAuditCheck *) g_ptr_array_index (checks, i))->name, name) == 0)
      return g_ptr_array_index (checks, i);
  g_assert_not_reached ();
}

static void
assert_only (const GPtrArray *checks, const char *name, const char *subject)
{
  const VendAuditCheck *check = check_of (checks, name);
  g_assert_cmpuint (check->rows->len, ==, 1);
  g_assert_cmpuint (vend_audit_count (checks), ==, 1);
  g_assert_cmpstr (((const VendAuditRow *) g_ptr_array_index (check->rows, 0))->subject, ==,
                   subject);
}

#define NOTHING "\"runs\": []"
#define NO_COUNTS "\"targets\": [], \"accounts\": {\"open\": 0, \"running\": 0}"

static void
test_nothing_is_wrong (Fixture *fixture, const void *unused)
{
  g_autoptr (GPtrArray) checks = look (fixture, NOTHING, NOTHING, NO_COUNTS);
  g_assert_cmpuint (vend_audit_count (checks), ==, 0);
}

static void
test_probe_folders (Fixture *fixture, const void *unused)
{
  g_autofree char *path = g_build_filename (fixture->dir, ".probe-aaaaaa", NULL);
  const struct timespec old = { .tv_sec = time (NULL) - 2 * 3600 };
  g_assert_true (vend_dir_ensure (path, NULL));
  g_autoptr (GPtrArray) young = look (fixture, NOTHING, NOTHING, NO_COUNTS);
  g_assert_cmpuint (vend_audit_count (young), ==, 0);
  g_assert_cmpint (utimensat (AT_FDCWD, path, (const struct timespec[]){ old, old }, 0), ==, 0);
  g_autoptr (GPtrArray) checks = look (fixture, NOTHING, NOTHING, NO_COUNTS);
  assert_only (checks, "leftovers", ".probe-aaaaaa");
}

static void
test_gpus (Fixture *fixture, const void *unused)
{
  g_autoptr (GPtrArray) twice
      = look (fixture, NOTHING ", \"gpus\": [\"G1\"]", NOTHING ", \"gpus\": [\"G1\"]", NO_COUNTS);
  assert_only (twice, "gpus", "G1");
  g_autoptr (GPtrArray) gone = look (
      fixture, NOTHING, NOTHING, NO_COUNTS ", \"gpus\": [{\"uuid\": \"G2\", \"instance\": \"c\"}]");
  assert_only (gone, "gpus", "G2");
}

static void
test_counts (Fixture *fixture, const void *unused)
{
  g_autoptr (GPtrArray) models = look (fixture, NOTHING, NOTHING,
                                       "\"targets\": [{\"running\": 1}], "
                                       "\"accounts\": {\"open\": 0, \"running\": 0}");
  assert_only (models, "slots", "running of models");
  g_autoptr (GPtrArray) accounts = look (
      fixture, NOTHING, NOTHING, "\"targets\": [], \"accounts\": {\"open\": 1, \"running\": 0}");
  assert_only (accounts, "slots", "open of accounts");
}

static void
test_more_runs_than_slots (Fixture *fixture, const void *unused)
{
  g_autoptr (GPtrArray) checks
      = look (fixture, "\"runs\": [\"p\", \"q\"]", "\"runs\": [\"p\"]",
              "\"targets\": [{\"running\": 2}], \"accounts\": {\"open\": 0, \"running\": 2}");
  const VendAuditCheck *check = check_of (checks, "slots");
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < check->rows->len; i++)
    {
      const VendAuditRow *row = g_ptr_array_index (check->rows, i);
      g_string_append_printf (text, "%s: %s\n", row->subject, row->detail);
    }
  g_assert_nonnull (strstr (text->str, "a: 2 predictions run on 1 slot"));
  g_assert_nonnull (strstr (text->str, "p: it runs on two instances at once"));
}

/* Only what both looks have is left. */
static void
test_confirm (Fixture *fixture, const void *unused)
{
  g_autoptr (GPtrArray) first = look (fixture, NOTHING ", \"gpus\": [\"G1\", \"G2\"]",
                                      NOTHING ", \"gpus\": [\"G1\", \"G2\"]", NO_COUNTS);
  g_autoptr (GPtrArray) second = look (fixture, NOTHING ", \"gpus\": [\"G2\", \"G3\"]",
                                       NOTHING ", \"gpus\": [\"G2\", \"G3\"]", NO_COUNTS);
  g_assert_cmpuint (vend_audit_count (first), ==, 2);
  g_assert_cmpuint (vend_audit_confirm (second, first), ==, 1);
  assert_only (second, "gpus", "G2");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, run) g_test_add ("/audit/" path, Fixture, NULL, set_up, run, tear_down)
  ADD ("nothing-is-wrong", test_nothing_is_wrong);
  ADD ("probe-folders", test_probe_folders);
  ADD ("gpus", test_gpus);
  ADD ("counts", test_counts);
  ADD ("more-runs-than-slots", test_more_runs_than_slots);
  ADD ("confirm", test_confirm);
  return g_test_run ();
}
