/* Secrets: names and values, the key and its seals, rows, what an instance gets. */
#include "base/error.h"
#include "base/fd.h"
#include "secrets/secrets.h"
#include "store/secrets.h"
#include "store/store.h"
#include "support/test-database.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static void
test_names (void)
{
  static const char *const good[]
      = { "HF_TOKEN",     "_", "a1", "OPENAI_API_KEY", "Path_of_it", "MY_PATH", "LDAP_PASSWORD",
          "PYTORCH_TOKEN" };
  static const char *const bad[]
      = { "",       "1A",        "A-B",      "A B",        "A=B",         "\u00c4",
          "PATH",   "path",      "HOME",     "LD_PRELOAD", "ld_preload",  "PYTHONPATH",
          "VEND_X", "COG_MODEL", "COGLET_X", "TMPDIR",     "http_proxy",  "HTTPS_PROXY",
          "PORT",   "LANG",      "BASH_ENV", "IFS",        "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      if (!vend_secret_name_check (good[i], &error))
        g_error ("%s: %s", good[i], error->message);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      if (vend_secret_name_check (bad[i], &error))
        g_error ("'%s' was taken", bad[i]);
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "name '"));
    }
  g_autofree char *longest = g_strnfill (VEND_SECRET_NAME_MAX, 'A');
  g_autofree char *longer = g_strnfill (VEND_SECRET_NAME_MAX + 1, 'A');
  g_assert_true (vend_secret_name_check (longest, NULL));
  g_assert_false (vend_secret_name_check (longer, NULL));
}

static void
test_values (void)
{
  g_autofree char *longest = g_strnfill (VEND_SECRET_VALUE_MAX, 'x');
  g_assert_true (vend_secret_value_check ("x", 1, NULL));
  g_assert_true (vend_secret_value_check (longest, VEND_SECRET_VALUE_MAX, NULL));
  g_assert_false (vend_secret_value_check ("", 0, NULL));
  g_assert_false (vend_secret_value_check (longest, VEND_SECRET_VALUE_MAX + 1, NULL));
  g_assert_false (vend_secret_value_check ("a\0b", 3, NULL));
  g_assert_false (vend_secret_value_check ("a\xff", 2, NULL));
}

/* ---- The key */

static char *
make_folder (void)
{
  char *folder = g_dir_make_tmp ("vend-secrets-XXXXXX", NULL);
  g_assert_nonnull (folder);
  return folder;
}

static void
remove_folder (const char *folder)
{
  g_assert_true (vend_tree_remove (folder, NULL));
}

static VendVault *
open_vault (const char *folder)
{
  VendVault *vault = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_vault_open (folder, true, &vault, &error));
  return vault;
}

static void
test_vault (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, VEND_VAULT_FILE, NULL);
  g_autoptr (VendVault) none = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_vault_open (folder, false, &none, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  {
    struct stat st;
    g_autoptr (VendVault) vault = open_vault (folder);
    g_assert_cmpint (g_stat (path, &st), ==, 0);
    g_assert_cmpint (st.st_mode & 0777, ==, 0600);
    g_autofree char *sealed = vend_vault_seal (vault, "model 1 A", "the value \u00e4");
    g_autofree char *again = vend_vault_seal (vault, "model 1 A", "the value \u00e4");
    g_assert_cmpstr (sealed, !=, again);
    g_assert_null (strstr (sealed, "value"));
    /* The same key after a restart. */
    g_autoptr (VendVault) same = open_vault (folder);
    g_autofree char *opened = NULL;
    g_assert_true (vend_vault_unseal (same, "model 1 A", sealed, &opened, NULL));
    g_assert_cmpstr (opened, ==, "the value \u00e4");
    /* Not in another place, not changed, not under another key. */
    char *untouched = (char *) "untouched";
    g_assert_false (vend_vault_unseal (vault, "model 2 A", sealed, &untouched, NULL));
    gsize size = 0;
    g_autofree guint8 *bytes = g_base64_decode (sealed, &size);
    for (gsize i = 0; i < size; i++)
      {
        bytes[i] ^= 1;
        g_autofree char *changed = g_base64_encode (bytes, size);
        g_assert_false (vend_vault_unseal (vault, "model 1 A", changed, &untouched, NULL));
        bytes[i] ^= 1;
      }
    g_assert_false (vend_vault_unseal (vault, "model 1 A", "", &untouched, NULL));
    g_assert_false (vend_vault_unseal (vault, "model 1 A", "AAAA", &untouched, NULL));
    g_assert_cmpint (g_unlink (path), ==, 0);
    g_autoptr (VendVault) other = open_vault (folder);
    g_assert_false (vend_vault_unseal (other, "model 1 A", sealed, &untouched, NULL));
    g_assert_cmpstr (untouched, ==, "untouched");
  }
  g_assert_true (g_file_set_contents (path, "not a key", -1, NULL));
  g_assert_false (vend_vault_open (folder, true, &none, NULL));
  remove_folder (folder);
}

/* ---- Rows */

typedef struct
{
  VendVault *vault;
  const char *name;
  const char *value;
  VendSecretPlace place;
  int64_t id;
  bool is_deleted;
} Job;

static bool
write_one (VendDb *db, void *data, GError **error)
{
  const Job *job = data;
  if (job->is_deleted)
    return vend_store_secret_delete (db, job->place, job->id, job->name, error);
  g_autofree char *context = vend_secret_context (job->place, job->id, job->name);
  g_autofree char *sealed = vend_vault_seal (job->vault, context, job->value);
  const VendSecret secret = { (char *) job->name, sealed, (int64_t) strlen (job->value), 1000000 };
  return vend_store_secret_set (db, job->place, job->id, &secret, error);
}

typedef struct
{
  char *folder;
  VendStore *store;
  VendVault *vault;
} Fixture;

static bool
put (Fixture *fixture, int64_t id, const char *name, const char *value, GError **error)
{
  Job job = { fixture->vault, name, value, VEND_SECRET_OF_MODEL, id, false };
  return vend_store_write_wait (fixture->store, write_one, &job, error);
}

static VendSecretSet *
read_set (Fixture *fixture, int64_t model_id)
{
  VendSecretSet *set = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (fixture->store);
  g_assert_true (
      vend_secret_set_read (reader.db, fixture->vault, model_id, "nobody/nothing", &set, &error));
  return set;
}

static void
check_rows (Fixture *fixture)
{
  g_assert_true (put (fixture, 1, "B", "b", NULL) && put (fixture, 1, "A", "a", NULL));
  g_assert_true (put (fixture, 2, "A", "of another model", NULL));
  g_autoptr (VendSecretSet) first = read_set (fixture, 1);
  g_assert_cmpuint (first->names->len, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (first->names, 0), ==, "A");
  g_assert_cmpstr (vend_secret_set_find (first, "A"), ==, "a");
  g_assert_cmpstr (vend_secret_set_find (first, "B"), ==, "b");
  g_assert_null (vend_secret_set_find (first, "C"));
  g_autoptr (VendSecretSet) same = read_set (fixture, 1);
  g_assert_cmpstr (first->digest, ==, same->digest);
  /* The same value once more is a change, too. */
  g_assert_true (put (fixture, 1, "A", "a", NULL));
  g_autoptr (VendSecretSet) again = read_set (fixture, 1);
  g_assert_cmpstr (first->digest, !=, again->digest);
  g_assert_cmpstr (vend_secret_set_find (again, "A"), ==, "a");
  g_autoptr (GError) error = NULL;
  Job removal = { fixture->vault, "A", NULL, VEND_SECRET_OF_MODEL, 1, true };
  g_assert_true (vend_store_write_wait (fixture->store, write_one, &removal, NULL));
  g_assert_false (vend_store_write_wait (fixture->store, write_one, &removal, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_autoptr (VendSecretSet) fewer = read_set (fixture, 1);
  g_assert_null (vend_secret_set_find (fewer, "A"));
}

static void
check_limits (Fixture *fixture)
{
  for (guint i = 0; i < VEND_SECRETS_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("N%u", i);
      g_assert_true (put (fixture, 3, name, "x", NULL));
    }
  g_autoptr (GError) many = NULL;
  g_assert_false (put (fixture, 3, "ONE_MORE", "x", &many));
  g_assert_error (many, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_true (put (fixture, 3, "N0", "another", NULL));
  g_autofree char *large = g_strnfill (VEND_SECRET_VALUE_MAX, 'x');
  for (guint i = 0; i < VEND_SECRETS_BYTES / VEND_SECRET_VALUE_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("N%u", i);
      g_assert_true (put (fixture, 4, name, large, NULL));
    }
  g_autoptr (GError) much = NULL;
  g_assert_false (put (fixture, 4, "ONE_MORE", "x", &much));
  g_assert_error (much, VEND_ERROR, VEND_ERROR_INVALID);
}

static gpointer
use_rows (gpointer data)
{
  check_rows (data);
  check_limits (data);
  return NULL;
}

static void
test_rows (void)
{
  Fixture fixture = { .folder = make_folder () };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = test_database (fixture.folder);
  fixture.vault = open_vault (fixture.folder);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = path, .readers = 2 }, &fixture.store, &error));
  /* Writes are waited for by other threads than the one of the loop. */
  GThread *thread = g_thread_new ("rows", use_rows, &fixture);
  g_thread_join (thread);
  vend_store_free (fixture.store);
  vend_vault_free (fixture.vault);
  remove_folder (fixture.folder);
  g_free (fixture.folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secrets/names", test_names);
  g_test_add_func ("/secrets/values", test_values);
  g_test_add_func ("/secrets/vault", test_vault);
  g_test_add_func ("/secrets/rows", test_rows);
  return g_test_run ();
}
