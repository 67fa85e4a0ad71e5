/* From the card of a build to rows and blobs. */
#include "build/publish.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "build/card.h"
#include "cog/input.h"
#include "cog/output.h"
#include "model/capability.h"
#include "model/file.h"
#include "model/prediction.h"
#include "store/aliases.h"
#include "store/covers.h"
#include "store/examples.h"
#include "store/models.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define SPOOL_NAME_LENGTH 24

struct VendPublication
{
  VendBlobHolds *holds;
  VendModel *model;    /* with the fields that change, NULL for others */
  VendCover *cover;    /* or NULL */
  GPtrArray *examples; /* of VendPrediction; NULL: those of the model stay */
  json_t *openai;      /* the mapping that the source states; NULL: that of the model stays */
  char *version;
  uint64_t max_stored;
};

/* What one example is made with. */
typedef struct
{
  const VendPublishRequest *request;
  VendPublication *publication;
  VendPrediction *prediction;
  bool is_input;
} Making;

void
vend_publication_free (VendPublication *publication)
{
  if (publication == NULL)
    return;
  vend_blob_holds_free (publication->holds);
  vend_model_free (publication->model);
  vend_cover_free (publication->cover);
  g_clear_pointer (&publication->examples, g_ptr_array_unref);
  json_decref (publication->openai);
  g_free (publication->version);
  g_free (publication);
}

/* ---- Files */

static bool
copy_to_spool (const char *path, const char *near, GError **error)
{
  struct stat st;
  vend_autofd from = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (from < 0 || fstat (from, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  vend_autofd to = open (near, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", near);
  return vend_fd_copy (from, to, (uint64_t) st.st_size, error);
}

static bool
check_copy (const char *near, const char *name, const char *sha256, GError **error)
{
  g_autofree char *actual = NULL;
  if (!vend_sha256_file (near, &actual, error))
    return false;
  return strcmp (actual, sha256) == 0
         || vend_fail (error, VEND_ERROR_RUNNER, "the build changed the file '%s'", name);
}

/* Copied: the tree of a version stays somebody else's to write, a blob does not. */
bool
vend_publish_file (VendBlobs *blobs, VendBlobHolds *holds, const char *path, const char *name,
                   const char *sha256, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_blob_holds_add (holds, sha256, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  g_autofree char *spooled = vend_secret_new ("card-", SPOOL_NAME_LENGTH);
  g_autofree char *near = g_build_filename (vend_blobs_spool (blobs), spooled, NULL);
  if (copy_to_spool (path, near, error) && check_copy (near, name, sha256, error)
      && vend_blob_holds_take (holds, near, sha256, error))
    return true;
  unlink (near);
  return false;
}

static bool
bring_in (const VendPublishRequest *request, VendBlobHolds *holds, const json_t *file,
          GError **error)
{
  const char *inside = vend_json_string (file, "path");
  g_autofree char *path = g_build_filename (request->source_dir, inside, NULL);
  if (vend_publish_file (request->blobs, holds, path, inside, vend_json_string (file, "sha256"),
                         error))
    return true;
  g_prefix_error (error, "vend.yaml: ");
  return false;
}

/* The builder's, in a process that ran somebody else's code. */
static bool
check_file (const json_t *file, GError **error)
{
  const char *path = vend_json_string (file, "path");
  const char *sha256 = vend_json_string (file, "sha256");
  g_auto (GStrv) parts = g_strsplit (path != NULL ? path : "/", "/", -1);
  return (path != NULL && !g_path_is_absolute (path)
          && !g_strv_contains ((const char *const *) parts, "..") && sha256 != NULL
          && vend_is_sha256_hex (sha256) && vend_json_string (file, "name") != NULL
          && vend_json_string (file, "type") != NULL && vend_json_int (file, "size", -1) >= 0)
         || vend_fail (error, VEND_ERROR_RUNNER, "the builder's result has a file that is none");
}

/* ---- Examples */

static char *
output_token (const VendPrediction *prediction, guint n)
{
  g_autofree char *text = g_strdup_printf ("%s card %u", prediction->id, n);
  return vend_capability_new ("output", text);
}

/* The text in the place of the file, whose row goes with the prediction. */
static json_t *
take_file (const Making *making, const json_t *file, GError **error)
{
  VendPrediction *prediction = making->prediction;
  const guint n = prediction->kept->len;
  if (!check_file (file, error)
      || !bring_in (making->request, making->publication->holds, file, error))
    return NULL;
  g_autofree char *token
      = making->is_input ? vend_input_file_token (prediction->id, n) : output_token (prediction, n);
  if (token == NULL)
    {
      vend_fail (error, VEND_ERROR_UNAVAILABLE, "this server has no key to name files with");
      return NULL;
    }
  VendOutput *row = g_new0 (VendOutput, 1);
  row->token = g_strdup (token);
  row->prediction = g_strdup (prediction->id);
  row->name = g_strdup (vend_json_string (file, "name"));
  row->content_type = g_strdup (vend_json_string (file, "type"));
  row->size = vend_json_int (file, "size", 0);
  row->sha256 = g_strdup (vend_json_string (file, "sha256"));
  row->created_us = prediction->created_us;
  row->is_input = making->is_input;
  g_ptr_array_add (prediction->kept, row);
  g_autofree char *text = making->is_input ? vend_input_file_text (n, token, row->name)
                                           : vend_output_file_text (token, row->name);
  return json_string (text);
}

/* A new value with texts in the place of files; NULL after an error. */
static json_t *
take_value (const Making *making, const json_t *value, GError **error)
{
  const char *key;
  json_t *item;
  size_t i;
  const json_t *file = json_object_get (value, VEND_CARD_FILE);
  if (file != NULL)
    return take_file (making, file, error);
  if (!json_is_object (value) && !json_is_array (value))
    return json_incref ((json_t *) value);
  json_auto_t *made = json_is_object (value) ? json_object () : json_array ();
  json_object_foreach ((json_t *) value, key, item)
    {
      json_t *taken = take_value (making, item, error);
      if (taken == NULL)
        return NULL;
      json_object_set_new (made, key, taken);
    }
  json_array_foreach ((json_t *) value, i, item)
    {
      json_t *taken = take_value (making, item, error);
      if (taken == NULL)
        return NULL;
      json_array_append_new (made, taken);
    }
  return g_steal_pointer (&made);
}

static int64_t
run_time_us (const json_t *metrics)
{
  const double seconds = vend_json_double (metrics, "predict_time", 0);
  return seconds > 0 && seconds < 1e9 ? (int64_t) llround (seconds * (double) VEND_US_PER_S) : 0;
}

/* A run that ended just now and took what it took. */
static VendPrediction *
start_example (const VendPublishRequest *request, const json_t *example)
{
  VendPrediction *p = vend_prediction_new ();
  const int64_t now_us = vend_now_us ();
  const char *logs = vend_json_string (example, "logs");
  p->id = vend_id_new ();
  p->kind = VEND_KIND_EXAMPLE;
  p->account_id = request->model->account_id;
  p->model_id = request->model->id;
  p->model = g_strdup_printf ("%s/%s", request->model->owner, request->model->name);
  p->version = g_strdup (request->version);
  p->status = VEND_STATUS_SUCCEEDED;
  p->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  p->secrets = vend_cog_secret_names (request->openapi, "Input");
  g_free (p->logs);
  p->logs = g_strdup (logs != NULL ? logs : "");
  p->metrics = json_incref (json_object_get (example, "metrics"));
  p->completed_us = now_us;
  p->started_us = now_us - run_time_us (p->metrics);
  p->created_us = p->started_us;
  p->stream = vend_cog_stream_flags (request->openapi);
  p->attempt = 1;
  return p;
}

static bool
add_example (const VendPublishRequest *request, VendPublication *publication, const json_t *example,
             GError **error)
{
  g_autoptr (VendPrediction) p = start_example (request, example);
  Making making = { request, publication, p, .is_input = true };
  p->input = take_value (&making, json_object_get (example, "input"), error);
  making.is_input = false;
  if (p->input == NULL)
    return false;
  p->output = take_value (&making, json_object_get (example, "output"), error);
  if (p->output == NULL)
    return false;
  g_ptr_array_add (publication->examples, g_steal_pointer (&p));
  return true;
}

static bool
add_examples (const VendPublishRequest *request, VendPublication *publication, GError **error)
{
  const json_t *examples = json_object_get (request->card, "examples");
  size_t i;
  json_t *example;
  if (examples == NULL)
    return true;
  publication->examples = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_prediction_free);
  json_array_foreach ((json_t *) examples, i, example)
    if (!json_is_object (json_object_get (example, "input"))
        || json_object_get (example, "output") == NULL)
      return vend_fail (error, VEND_ERROR_RUNNER, "the builder's result has a broken example");
    else if (!add_example (request, publication, example, error))
      return false;
  return true;
}

/* ---- The model */

/* Its URL stays as long as model, content and name do. */
static bool
add_cover (const VendPublishRequest *request, VendPublication *publication, GError **error)
{
  const json_t *file = json_object_get (json_object_get (request->card, "cover"), VEND_CARD_FILE);
  if (file == NULL)
    return true;
  if (!check_file (file, error) || !bring_in (request, publication->holds, file, error))
    return false;
  VendCover *cover = g_new0 (VendCover, 1);
  publication->cover = cover;
  cover->model_id = request->model->id;
  cover->account_id = request->model->account_id;
  cover->name = g_strdup (vend_json_string (file, "name"));
  cover->content_type = g_strdup (vend_json_string (file, "type"));
  cover->size = vend_json_int (file, "size", 0);
  cover->sha256 = g_strdup (vend_json_string (file, "sha256"));
  cover->created_us = vend_now_us ();
  g_autofree char *text
      = g_strdup_printf ("%" G_GINT64_FORMAT " %s %s", cover->model_id, cover->sha256, cover->name);
  cover->token = vend_capability_new ("cover", text);
  if (cover->token == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "this server has no key to name files with");
  publication->model->cover_image_url = vend_cover_text (cover);
  return true;
}

bool
vend_publication_new (const VendPublishRequest *request, VendPublication **out, GError **error)
{
  const json_t *card = request->card;
  g_autoptr (VendPublication) publication = g_new0 (VendPublication, 1);
  VendModel *model = vend_model_new ();
  publication->holds = vend_blob_holds_new (request->blobs);
  publication->model = model;
  publication->version = g_strdup (request->version);
  publication->max_stored = request->max_stored;
  if (json_is_object (json_object_get (card, "openai")))
    publication->openai = json_incref (json_object_get (card, "openai"));
  model->id = request->model->id;
  model->description = g_strdup (vend_json_string (card, "description"));
  model->readme = g_strdup (vend_json_string (card, "readme"));
  model->github_url = g_strdup (vend_json_string (card, "github_url"));
  model->paper_url = g_strdup (vend_json_string (card, "paper_url"));
  model->license_url = g_strdup (vend_json_string (card, "license_url"));
  if (!add_cover (request, publication, error) || !add_examples (request, publication, error))
    return false;
  *out = g_steal_pointer (&publication);
  return true;
}

bool
vend_publication_store (VendDb *db, const VendPublication *publication, GError **error)
{
  const VendPushedExamples examples = { .model_id = publication->model->id,
                                        .version = publication->version,
                                        .examples = publication->examples,
                                        .max_stored = publication->max_stored };
  return (publication->cover == NULL
          || vend_store_cover_put (db, publication->cover, publication->max_stored, error))
         && (publication->examples == NULL || vend_store_example_push (db, &examples, error))
         && (publication->openai == NULL
             || vend_store_openai_mapping_set (db, publication->model->id, publication->openai,
                                               error))
         && vend_store_model_present (db, publication->model, error);
}
