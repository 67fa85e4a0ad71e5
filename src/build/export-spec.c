/* Reads what an archive says of a version and its model: rows, and contents of the file store. */
#include "build/export-spec.h"
#include "base/error.h"
#include "build/bundle-manifest.h"
#include "build/bundle-page.h"
#include "build/card.h"
#include "model/file.h"
#include "model/prediction.h"
#include "model/weight-set.h"
#include "model/weights.h"
#include "store/aliases.h"
#include "store/covers.h"
#include "store/examples.h"
#include "store/files.h"
#include "store/models.h"
#include "store/weights.h"
#include <string.h>

#define COVER_SCHEME "vend-cover:"
#define INPUT_SCHEME "vend-input:"
#define OUTPUT_SCHEME "vend-output:"

typedef struct
{
  const VendExportRequest *request;
  VendDb *db;
  VendBlobHolds *holds;
  json_t *contents;
  GHashTable *named; /* of the contents that are in the list */
} Reading;

void
vend_export_free (VendExport *export)
{
  if (export == NULL)
    return;
  json_decref (export->spec);
  vend_blob_holds_free (export->holds);
  g_free (export);
}

static bool
add_content (const Reading *reading, const char *folder, const char *sha256, GError **error)
{
  g_autofree char *key = g_strconcat (folder, "/", sha256, NULL);
  if (g_hash_table_contains (reading->named, key))
    return true;
  if (!vend_blob_holds_bring (reading->holds, sha256, error))
    return false;
  g_autofree char *from = vend_blobs_path (reading->request->blobs, sha256);
  json_array_append_new (reading->contents, json_pack ("{s:s, s:s, s:s}", "folder", folder,
                                                       "sha256", sha256, "from", from));
  g_hash_table_add (reading->named, g_steal_pointer (&key));
  return true;
}

/* As a card names a file; its path is that in the archive's folder. */
static json_t *
card_file (const char *name, const char *type, int64_t size, const char *sha256)
{
  return json_pack ("{s:{s:s, s:s, s:s, s:I, s:s}}", VEND_CARD_FILE, "path", sha256, "name", name,
                    "type", type, "size", (json_int_t) size, "sha256", sha256);
}

/* ---- Example runs */

/* The token in "vend-output:<token>/<name>" or "vend-input:<n>/<token>/<name>"; NULL: another text.
 * Free with g_free. */
static char *
token_in (const char *text)
{
  const char *rest = NULL;
  if (g_str_has_prefix (text, OUTPUT_SCHEME))
    rest = text + strlen (OUTPUT_SCHEME);
  else if (g_str_has_prefix (text, INPUT_SCHEME))
    {
      rest = strchr (text, '/');
      rest = rest != NULL ? rest + 1 : NULL;
    }
  return rest != NULL ? g_strndup (rest, strcspn (rest, "/")) : NULL;
}

static json_t *
take_text (const Reading *reading, const json_t *value, GError **error)
{
  g_autofree char *token = token_in (json_string_value (value));
  g_autoptr (VendOutput) row = NULL;
  if (token == NULL)
    return json_incref ((json_t *) value);
  if (!vend_store_output_get (reading->db, token, &row, error)
      || !add_content (reading, VEND_BUNDLE_PAGE, row->sha256, error))
    return NULL;
  return card_file (row->name, row->content_type, row->size, row->sha256);
}

/* A new value with files as a card names them; NULL after an error. */
static json_t *
take_value (const Reading *reading, const json_t *value, GError **error)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_is_string (value))
    return take_text (reading, value, error);
  if (!json_is_object (value) && !json_is_array (value))
    return value != NULL ? json_incref ((json_t *) value) : json_null ();
  json_auto_t *made = json_is_object (value) ? json_object () : json_array ();
  json_object_foreach ((json_t *) value, key, item)
    {
      json_t *taken = take_value (reading, item, error);
      if (taken == NULL)
        return NULL;
      json_object_set_new (made, key, taken);
    }
  json_array_foreach ((json_t *) value, i, item)
    {
      json_t *taken = take_value (reading, item, error);
      if (taken == NULL)
        return NULL;
      json_array_append_new (made, taken);
    }
  return g_steal_pointer (&made);
}

static json_t *
example_of (const Reading *reading, const VendPrediction *p, GError **error)
{
  json_auto_t *shown = vend_prediction_shown_input (p);
  json_auto_t *example = json_object ();
  json_t *input = take_value (reading, shown, error);
  if (input == NULL)
    return NULL;
  json_object_set_new (example, "input", input);
  json_t *output = take_value (reading, p->output, error);
  if (output == NULL)
    return NULL;
  json_object_set_new (example, "output", output);
  vend_json_set_string (example, "logs", p->logs);
  json_object_set (example, "metrics", p->metrics);
  return g_steal_pointer (&example);
}

/* Those of other versions may not fit this one. */
static bool
add_examples (const Reading *reading, json_t *page, GError **error)
{
  const VendExportRequest *request = reading->request;
  g_autoptr (GPtrArray) examples = NULL;
  VendPage rows = { .limit = VEND_MODEL_MAX_EXAMPLES };
  int64_t place = 0;
  if (!vend_store_example_page (reading->db, request->model_id, G_MININT64, &rows, &examples,
                                &place, error))
    return false;
  json_auto_t *list = json_array ();
  for (guint i = 0; i < examples->len && json_array_size (list) < VEND_CARD_MAX_EXAMPLES; i++)
    {
      const VendPrediction *p = g_ptr_array_index (examples, i);
      /* Data of a run that looks like a file of a card would be taken for one. */
      if (p->status != VEND_STATUS_SUCCEEDED || strcmp (p->version, request->version) != 0
          || vend_bundle_page_has_file (p->input) || vend_bundle_page_has_file (p->output))
        continue;
      json_t *example = example_of (reading, p, error);
      if (example == NULL)
        return false;
      json_array_append_new (list, example);
    }
  if (json_array_size (list) > 0)
    json_object_set (page, "examples", list);
  return true;
}

/* ---- The model */

static bool
add_cover (const Reading *reading, const VendModel *model, json_t *page, GError **error)
{
  const char *text = model->cover_image_url;
  g_autoptr (VendCover) cover = NULL;
  if (text == NULL || !g_str_has_prefix (text, COVER_SCHEME))
    return true;
  const char *token = text + strlen (COVER_SCHEME);
  g_autofree char *name = g_strndup (token, strcspn (token, "/"));
  if (!vend_store_cover_get (reading->db, name, &cover, error)
      || !add_content (reading, VEND_BUNDLE_PAGE, cover->sha256, error))
    return false;
  json_object_set_new (page, "cover",
                       card_file (cover->name, cover->content_type, cover->size, cover->sha256));
  return true;
}

static bool
add_openai (const Reading *reading, json_t *page, GError **error)
{
  json_auto_t *mapping = NULL;
  if (!vend_store_openai_mapping_get (reading->db, reading->request->model_id, &mapping, error))
    return false;
  if (json_object_size (mapping) > 0)
    json_object_set (page, "openai", mapping);
  return true;
}

static json_t *
page_of (const Reading *reading, const VendModel *model, GError **error)
{
  json_auto_t *page = json_object ();
  const struct
  {
    const char *key;
    const char *text;
  } texts[] = { { "description", model->description },
                { "readme", model->readme },
                { "github_url", model->github_url },
                { "paper_url", model->paper_url },
                { "license_url", model->license_url } };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i].text != NULL)
      vend_json_set_string (page, texts[i].key, texts[i].text);
  if (!add_cover (reading, model, page, error) || !add_examples (reading, page, error)
      || !add_openai (reading, page, error))
    return NULL;
  return g_steal_pointer (&page);
}

/* ---- The version */

static bool
add_weights (const Reading *reading, json_t *document, GError **error)
{
  const VendExportRequest *request = reading->request;
  g_autoptr (GPtrArray) weights = NULL;
  json_t *list = json_array ();
  json_object_set_new (document, "weights", list);
  if (!vend_store_weights_of (reading->db, request->model_id, request->version, &weights, error))
    return false;
  for (guint i = 0; i < weights->len; i++)
    {
      const VendWeights *item = g_ptr_array_index (weights, i);
      if (!add_content (reading, VEND_BUNDLE_WEIGHTS, item->sha256, error))
        return false;
      json_array_append_new (list, vend_weights_to_json (item));
    }
  return true;
}

static bool
add_set (const Reading *reading, const VendWeightSet *set, GError **error)
{
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      g_autoptr (GError) problem = NULL;
      if (add_content (reading, VEND_BUNDLE_WEIGHTS, file->sha256, &problem))
        continue;
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return vend_fail (error, VEND_ERROR_CONFLICT,
                          "the weights '%s' of %s are not on disk: fetch them with 'vend weights "
                          "pull', then export the version",
                          set->name, set->source);
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return true;
}

/* Whether and how a server may fetch them is its own matter. */
static bool
add_weight_sets (const Reading *reading, const VendVersion *version, json_t *document,
                 GError **error)
{
  g_autoptr (GPtrArray) sets = vend_weight_sets_of_launch (version->launch);
  if (sets->len == 0)
    return true;
  json_t *list = json_array ();
  json_object_set_new (document, VEND_BUNDLE_WEIGHT_SETS, list);
  vend_json_set_int (document, "format", VEND_BUNDLE_FORMAT);
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      json_t *object = vend_weight_set_to_json (set);
      json_object_del (object, "can_fetch");
      json_object_del (object, "any_host");
      json_array_append_new (list, object);
      if (!add_set (reading, set, error))
        return false;
    }
  return true;
}

/* Those that the build of an import has added are of that server. */
static json_t *
facts_of_training (const VendVersion *version)
{
  static const char *const keys[]
      = { "training", "model", VEND_FACT_OWN_SOURCE, "inputs", "files" };
  const json_t *all = json_object_get (version->manifest, "facts");
  json_t *facts = json_object ();
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    json_object_set (facts, keys[i], json_object_get (all, keys[i]));
  return facts;
}

static json_t *
document_of (const Reading *reading, const VendModel *model, const VendVersion *version,
             GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", model->owner, model->name);
  json_t *page = page_of (reading, model, error);
  if (page == NULL)
    return NULL;
  json_auto_t *document
      = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:O}", "type", VEND_BUNDLE_TYPE, "format",
                   VEND_BUNDLE_FORMAT_PLAIN, "model", name, "version", version->id, "cog_version",
                   version->cog_version, "content", json_object_get (version->manifest, "content"));
  json_object_set_new (document, "page", page);
  if (version->base != NULL)
    {
      json_object_set (document, "pushed", json_object_get (version->manifest, "pushed"));
      json_object_set_new (document, "facts", facts_of_training (version));
    }
  if (!add_weights (reading, document, error)
      || !add_weight_sets (reading, version, document, error))
    return NULL;
  return g_steal_pointer (&document);
}

static bool
check_source (const VendVersion *version, GError **error)
{
  const json_t *facts = json_object_get (version->manifest, "facts");
  return version->base == NULL || vend_json_bool (facts, VEND_FACT_OWN_SOURCE, false)
         || vend_fail (error, VEND_ERROR_FORBIDDEN,
                       "the source of this version belongs to the account whose model was trained");
}

static bool
read_all (const Reading *reading, json_t **out, GError **error)
{
  const VendExportRequest *request = reading->request;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendVersion) version = NULL;
  if (!vend_store_model_get (reading->db, request->model_id, &model, error)
      || !vend_store_version_get (reading->db, request->model_id, request->version, &version, error)
      || !check_source (version, error))
    return false;
  json_t *document = document_of (reading, model, version, error);
  if (document == NULL)
    return false;
  const char *key = vend_json_string (version->launch, "venv");
  g_autofree char *venv = g_build_filename (request->venvs_dir, key != NULL ? key : "", NULL);
  g_autofree char *folder = g_build_filename (
      request->versions_dir, vend_version_source (version->id, version->launch), NULL);
  *out = json_pack ("{s:o, s:s, s:s, s:O}", "document", document, "folder", folder, "venv", venv,
                    "contents", reading->contents);
  return true;
}

bool
vend_export_new (const VendExportRequest *request, VendExport **out, GError **error)
{
  g_autoptr (VendExport) export = g_new0 (VendExport, 1);
  g_autoptr (GHashTable) named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  json_auto_t *contents = json_array ();
  export->holds = vend_blob_holds_new (request->blobs);
  {
    g_auto (VendReader) reader = vend_reader (request->store);
    const Reading reading = { request, reader.db, export->holds, contents, named };
    if (!read_all (&reading, &export->spec, error))
      return false;
  }
  *out = g_steal_pointer (&export);
  return true;
}
