/* What of the registry stays, and what goes. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "registry/reference.h"
#include "registry/registry.h"
#include "store/accounts.h"
#include "store/models.h"
#include "store/registry.h"
#include "store/stored-bytes.h"
#include "support/test-database.h"
#include <string.h>

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"

typedef struct
{
  char *dir;
  VendStore *store;
  VendBlobs *blobs;
  VendRegistry *registry;
  VendModel *model;
} Fixture;

static bool
add_rows (VendDb *db, void *data, GError **error)
{
  VendModel *model = data;
  VendAccount account = {
    .username = (char *) "lab", .name = (char *) "Lab", .type = (char *) "user", .created_us = 1
  };
  return vend_store_account_insert (db, &account, error)
         && vend_store_model_insert (db, model, error);
}

static void
commit (Fixture *f, VendStoreJob job, void *data)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_store_write_wait (f->store, job, data, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-registry-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  g_autofree char *blobs = g_build_filename (f->dir, "blobs", NULL);
  const VendStoreOptions options = { .path = path, .readers = 2 };
  f->model = vend_model_new ();
  f->model->account_id = 1;
  f->model->owner = g_strdup ("lab");
  f->model->name = g_strdup ("echo");
  f->model->hardware = g_strdup ("cpu");
  g_assert_true (vend_store_open (&options, &f->store, &error));
  g_assert_true (vend_blobs_open (blobs, &f->blobs, &error));
  g_assert_true (vend_registry_new (f->store, f->blobs, 0, &f->registry, &error));
  commit (f, add_rows, f->model);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  vend_registry_free (f->registry);
  vend_blobs_free (f->blobs);
  vend_store_free (f->store);
  vend_model_free (f->model);
  g_assert_true (vend_tree_remove (f->dir, NULL));
  g_free (f->dir);
}

static VendRegistryPlace
place (Fixture *f)
{
  return (VendRegistryPlace){ f->model, "" };
}

/* The digest; free with g_free. */
static char *
push_blob (Fixture *f, const char *text)
{
  const VendRegistryPlace where = place (f);
  g_autofree char *id = NULL;
  char *digest = vend_digest_of (text, strlen (text), false);
  g_autoptr (VendBlobTurn) turn = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_registry_begin_upload (f->registry, &where, &id, &error));
  g_assert_true (
      vend_blob_uploads_take (vend_registry_uploads (f->registry), id, false, &turn, &error));
  g_assert_true (vend_blob_turn_write (turn, text, strlen (text), &error));
  g_assert_true (vend_registry_finish_upload (f->registry, &where, id, true, turn, digest, &error));
  return digest;
}

/* With ' for "; the digest. */
static char *
push (Fixture *f, const char *tag, const char *format, const char *a, const char *b)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (format), "'", '"');
  g_auto (GStrv) halves = g_strsplit (quoted, "$", 3);
  g_autofree char *text = g_strconcat (halves[0], a, halves[1] != NULL ? halves[1] : "",
                                       halves[1] != NULL && halves[2] != NULL ? b : NULL,
                                       halves[1] != NULL ? halves[2] : NULL, NULL);
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();
  if (tag != NULL)
    g_ptr_array_add (tags, (char *) tag);
  const VendManifestPush put
      = { .place = place (f), .tags = tags, .text = text, .size = strlen (text) };
  g_auto (VendManifestPushed) pushed = { 0 };
  VendOciCode code;
  g_autoptr (GError) error = NULL;
  const bool good = vend_registry_put_manifest (f->registry, &put, &pushed, &code, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  return g_steal_pointer (&pushed.digest);
}

#define ARTIFACT \
  "{'schemaVersion':2,'mediaType':'" MANIFEST "','config':{'digest':'$','size':1,'mediaType':" \
  "'application/x'},'layers':[]}"
#define REFERRER \
  "{'schemaVersion':2,'mediaType':'" MANIFEST "','config':{'digest':'$','size':1,'mediaType':" \
  "'application/x'},'layers':[],'subject':{'digest':'$','size':1}}"
#define INDEX "{'schemaVersion':2,'manifests':[{'digest':'$','size':1}]}"

static bool
make_old (VendDb *db, void *data, GError **error)
{
  return vend_db_exec (db, "UPDATE registry_manifests SET used_us = 1", error)
         && vend_db_exec (db, "UPDATE registry_blobs SET used_us = 1", error)
         && vend_db_exec (db, "UPDATE registry_uploads SET created_us = 1", error);
}

static bool
has_manifest (Fixture *f, const char *digest)
{
  g_autoptr (VendRegistryManifest) manifest = NULL;
  int64_t repository = 0;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_repository_find (reader.db, f->model->id, "", &repository, NULL));
  return vend_store_registry_manifest_get (reader.db, repository, digest, &manifest, NULL);
}

static bool
has_blob (Fixture *f, const char *digest)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  int64_t repository = 0;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_repository_find (reader.db, f->model->id, "", &repository, NULL));
  return vend_store_registry_blob_get (reader.db, repository, digest, &blob, NULL);
}

static int64_t
stored (Fixture *f)
{
  int64_t bytes = 0;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_stored_bytes (reader.db, 1, &bytes, NULL));
  return bytes;
}

static void
test_kept (Fixture *f, gconstpointer unused)
{
  g_autofree char *config = push_blob (f, "c");
  g_autofree char *lonely = push_blob (f, "lonely");
  g_autofree char *tagged = push (f, "v1", ARTIFACT, config, NULL);
  g_autofree char *about = push (f, NULL, REFERRER, config, tagged);
  g_autofree char *child_config = push_blob (f, "d");
  g_autofree char *child = push (f, NULL, ARTIFACT, child_config, NULL);
  g_autofree char *index = push (f, "all", INDEX, child, NULL);
  g_autofree char *loose_config = push_blob (f, "e");
  g_autofree char *loose = push (f, NULL, ARTIFACT, loose_config, NULL);
  g_autofree char *about_loose = push (f, NULL, REFERRER, loose_config, loose);
  g_autofree char *id = NULL;
  const VendRegistryPlace where = place (f);
  g_assert_true (vend_registry_begin_upload (f->registry, &where, &id, NULL));

  /* Young things stay. */
  vend_registry_sweep (f->registry);
  g_assert_true (has_blob (f, lonely) && has_manifest (f, loose));

  commit (f, make_old, NULL);
  vend_registry_sweep (f->registry);
  g_assert_true (has_manifest (f, tagged) && has_manifest (f, about) && has_manifest (f, index)
                 && has_manifest (f, child));
  g_assert_true (has_blob (f, config) && has_blob (f, child_config));
  g_assert_false (has_manifest (f, loose) || has_manifest (f, about_loose));
  g_assert_false (has_blob (f, lonely) || has_blob (f, loose_config));
  int64_t repository = 0;
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_false (vend_store_registry_upload_get (reader.db, id, &repository, NULL));
  }

  /* Without its tag the index goes, and with it its manifest. */
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_registry_delete_tag (f->registry, &where, "all", &error));
  vend_registry_sweep (f->registry);
  g_assert_false (has_manifest (f, index) || has_manifest (f, child) || has_blob (f, child_config));
  g_assert_true (has_manifest (f, tagged));
  g_assert_true (vend_registry_delete_tag (f->registry, &where, "v1", &error));
  vend_registry_sweep (f->registry);
  g_assert_false (has_manifest (f, tagged) || has_manifest (f, about) || has_blob (f, config));
  g_assert_cmpint (stored (f), ==, 0);
}

/* A push that looks for a blob before it names it does not lose it meanwhile. */
static void
test_used (Fixture *f, gconstpointer unused)
{
  g_autofree char *digest = push_blob (f, "used");
  g_autoptr (VendRegistryBlob) blob = NULL;
  int64_t repository = 0;
  commit (f, make_old, NULL);
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_repository_find (reader.db, f->model->id, "", &repository, NULL));
    g_assert_true (vend_store_registry_blob_get (reader.db, repository, digest, &blob, NULL));
  }
  vend_registry_use_blob (f->registry, blob);
  vend_registry_sweep (f->registry);
  g_assert_true (has_blob (f, digest));
}

static void
test_mounts_and_removal (Fixture *f, gconstpointer unused)
{
  const VendRegistryPlace own = place (f), other = { f->model, "weights" };
  g_autofree char *digest = push_blob (f, "shared");
  g_autoptr (VendRegistryBlob) blob = NULL;
  g_autoptr (GError) error = NULL;
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_registry_blob_find (reader.db, 1, digest, &blob, NULL));
  }
  g_assert_true (vend_registry_mount (f->registry, &other, blob, &error));
  g_assert_cmpint (stored (f), ==, 12);
  g_assert_true (vend_registry_mount (f->registry, &other, blob, &error));
  g_assert_cmpint (stored (f), ==, 12);
  g_assert_true (vend_registry_delete_blob (f->registry, &own, digest, &error));
  g_assert_cmpint (stored (f), ==, 6);
  g_assert_false (vend_registry_delete_blob (f->registry, &own, digest, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_autofree char *config = push_blob (f, "c");
  g_autofree char *manifest = push (f, "v1", ARTIFACT, config, NULL);
  g_assert_false (vend_registry_delete_blob (f->registry, &own, config, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_clear_error (&error);
  g_autofree char *version = NULL;
  g_assert_true (vend_registry_delete_manifest (f->registry, &own, manifest, &version, &error));
  g_assert_null (version);
  g_assert_true (vend_registry_delete_blob (f->registry, &own, config, &error));
  g_assert_cmpint (stored (f), ==, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/sweep/kept", Fixture, NULL, set_up, test_kept, tear_down);
  g_test_add ("/sweep/used", Fixture, NULL, set_up, test_used, tear_down);
  g_test_add ("/sweep/mounts", Fixture, NULL, set_up, test_mounts_and_removal, tear_down);
  return g_test_run ();
}
