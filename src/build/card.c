/* The card of a model: vend.yaml and README.md, what their keys mean and the rules they keep. */
#include "build/card.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/card-private.h"
#include "files/file-name.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_YAML ((gsize) 1024 * 1024)
#define MAX_README ((gsize) 1024 * 1024) /* as by the API */
#define MAX_INPUTS 1000

typedef struct
{
  const char *dir;
  VendYamlReport report;
  VendYamlJson json;
  json_t *content;
  json_t *lines;
  GHashTable *files; /* path below the project → json_t of the file */
  guint n_files;     /* places that name one */
} Reader;

void
vend_card_free (VendCard *card)
{
  if (card == NULL)
    return;
  json_decref (card->content);
  json_decref (card->lines);
  g_free (card);
}

bool
vend_card_is_there (const char *project_dir)
{
  g_autofree char *yaml = g_build_filename (project_dir, VEND_CARD_YAML, NULL);
  g_autofree char *readme = g_build_filename (project_dir, VEND_CARD_README, NULL);
  return g_file_test (yaml, G_FILE_TEST_EXISTS) || g_file_test (readme, G_FILE_TEST_EXISTS);
}

/* ---- Files */

static json_t *
describe_file (Reader *reader, const char *inside, GError **error)
{
  struct stat st;
  g_autofree char *path = g_build_filename (reader->dir, inside, NULL);
  g_autofree char *name = vend_file_name_clean (inside);
  g_autofree char *sha256 = NULL;
  if (!vend_sha256_file (path, &sha256, error))
    return NULL;
  if (stat (path, &st) < 0)
    {
      vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", inside);
      return NULL;
    }
  json_t *file = json_object ();
  vend_json_set_string (file, "path", inside);
  vend_json_set_string (file, "name", name);
  vend_json_set_string (file, "type", vend_file_type (name));
  vend_json_set_int (file, "size", st.st_size);
  vend_json_set_string (file, "sha256", sha256);
  return json_pack ("{s:o}", VEND_CARD_FILE, file);
}

/* NULL after a problem. Each file is read once. */
static json_t *
read_file (Reader *reader, const char *path, VendYamlValue where)
{
  /* Each place is a row, and all rows are written at once. */
  if (++reader->n_files > VEND_CARD_MAX_FILES)
    {
      vend_yaml_problem (&reader->report, where.line, "%s: more than %d files are named",
                         where.path, VEND_CARD_MAX_FILES);
      return NULL;
    }
  g_autofree char *inside = NULL;
  g_autofree char *trouble = vend_project_file_trouble (reader->dir, path, &inside);
  g_autoptr (GError) error = NULL;
  json_t *file = trouble == NULL ? g_hash_table_lookup (reader->files, inside) : NULL;
  if (file != NULL)
    return json_incref (file);
  if (trouble == NULL && !g_utf8_validate (inside, -1, NULL))
    trouble = g_strdup ("the path is not UTF-8");
  if (trouble == NULL)
    file = describe_file (reader, inside, &error);
  if (file == NULL)
    {
      vend_yaml_problem (&reader->report, where.line, "%s: %s", where.path,
                         trouble != NULL ? trouble : error->message);
      return NULL;
    }
  g_hash_table_insert (reader->files, g_steal_pointer (&inside), file);
  return json_incref (file);
}

/* As `vend run` takes values: @path is a file, @@text the text "@text". */
static json_t *
on_text (const char *text, VendYamlValue where, void *data)
{
  if (text[0] != '@')
    return json_string (text);
  return text[1] == '@' ? json_string (text + 1) : read_file (data, text + 1, where);
}

/* ---- Plain keys */

static void
read_text (Reader *reader, VendYamlValue root, const char *key)
{
  VendYamlValue value = vend_yaml_member (root, key, key);
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  if (text != NULL)
    vend_json_set_string (reader->content, key, text);
}

static void
read_url (Reader *reader, VendYamlValue root, const char *key)
{
  VendYamlValue value = vend_yaml_member (root, key, key);
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  if (text == NULL)
    return;
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autofree char *shown = vend_yaml_shown (text);
  if ((strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0) || host == NULL
      || *host == '\0')
    vend_yaml_problem (&reader->report, value.line, "%s: expected an http or https URL, got '%s'",
                       key, shown);
  vend_json_set_string (reader->content, key, text);
}

static void
read_cover (Reader *reader, VendYamlValue root)
{
  static const char *const endings[]
      = { ".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".wav", ".mp3" };
  VendYamlValue value = vend_yaml_member (root, "cover", "cover");
  g_autofree char *path = vend_yaml_dup_text (value, &reader->report);
  bool is_good = false;
  if (path == NULL)
    return;
  g_autofree char *lower = g_ascii_strdown (path, -1);
  g_autofree char *shown = vend_yaml_shown (path);
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    is_good = is_good || g_str_has_suffix (lower, endings[i]);
  if (!is_good)
    vend_yaml_problem (&reader->report, value.line,
                       "cover: expected a png, jpg, webp, gif, mp4, wav or mp3 file, got '%s'",
                       shown);
  json_t *file = is_good ? read_file (reader, path, value) : NULL;
  if (file != NULL)
    json_object_set_new (reader->content, "cover", file);
}

static void
read_licenses (Reader *reader, VendYamlValue root)
{
  static const char *const keys[] = { "code", "weights", NULL };
  static const char *const paths[] = { "licenses.code", "licenses.weights" };
  VendYamlValue map = vend_yaml_member (root, "licenses", "licenses");
  if (map.node == NULL || !vend_yaml_check_keys (map, keys, &reader->report))
    return;
  json_t *licenses = json_object ();
  for (gsize i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *text
          = vend_yaml_dup_text (vend_yaml_member (map, keys[i], paths[i]), &reader->report);
      if (text != NULL)
        vend_json_set_string (licenses, keys[i], text);
    }
  json_object_set_new (reader->content, "licenses", licenses);
}

/* "280 MB": units of the trade, powers of 1000; with an i powers of 1024. */
static bool
parse_download (const char *text, int64_t *out)
{
  static const struct
  {
    const char *unit;
    double bytes;
  } units[]
      = { { "", 1 },     { "B", 1 },        { "kB", 1e3 },     { "KB", 1e3 },    { "MB", 1e6 },
          { "GB", 1e9 }, { "KiB", 0x1p10 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 } };
  char *end = NULL;
  if (!g_ascii_isdigit (text[0]))
    return false;
  const double number = g_ascii_strtod (text, &end);
  const char *unit = *end == ' ' ? end + 1 : end;
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strcmp (unit, units[i].unit) == 0 && number * units[i].bytes < (double) (G_MAXINT64 / 2))
      {
        *out = (int64_t) llround (number * units[i].bytes);
        return true;
      }
  return false;
}

static void
read_download (Reader *reader, VendYamlValue root)
{
  VendYamlValue value = vend_yaml_member (root, "download", "download");
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  int64_t bytes = 0;
  if (text == NULL)
    return;
  g_autofree char *shown = vend_yaml_shown (text);
  if (!parse_download (text, &bytes))
    vend_yaml_problem (&reader->report, value.line,
                       "download: expected a size such as '280 MB', got '%s'", shown);
  vend_json_set_int (reader->content, "download", bytes);
}

/* ---- Examples */

static void
note_lines (Reader *reader, VendYamlValue example, VendYamlValue input, const json_t *read)
{
  json_t *lines = json_object ();
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) read, key, value)
    json_object_set_new (lines, key, json_integer (vend_yaml_member (input, key, "").line));
  json_array_append_new (reader->lines,
                         json_pack ("{s:i, s:o}", "line", example.line, "input", lines));
}

/* Whether `value` is an object; one without node is an empty one. */
static json_t *
read_map (Reader *reader, VendYamlValue value)
{
  json_auto_t *map = value.node != NULL ? vend_yaml_json (value, &reader->json) : json_object ();
  if (map == NULL)
    return NULL;
  if (json_is_object (map) && json_object_get (map, VEND_CARD_FILE) == NULL)
    return g_steal_pointer (&map);
  vend_yaml_problem (&reader->report, value.line, "%s: expected a map", value.path);
  return NULL;
}

static void
read_metrics (Reader *reader, VendYamlValue value, json_t *example)
{
  static const char *const times[] = { "predict_time", "total_time" };
  json_auto_t *metrics = value.node != NULL ? read_map (reader, value) : NULL;
  if (metrics == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      const json_t *time = json_object_get (metrics, times[i]);
      if (time != NULL && (!vend_json_is_number (time) || vend_json_number (time) < 0))
        vend_yaml_problem (&reader->report, value.line, "%s.%s: expected seconds, a number",
                           value.path, times[i]);
    }
  json_object_set (example, "metrics", metrics);
}

static void
read_example (Reader *reader, VendYamlValue value, guint number)
{
  static const char *const keys[] = { "input", "output", "logs", "metrics", NULL };
  g_autofree char *path = g_strdup_printf ("examples[%u]", number);
  g_autofree char *input_path = g_strdup_printf ("%s.input", path);
  g_autofree char *output_path = g_strdup_printf ("%s.output", path);
  g_autofree char *logs_path = g_strdup_printf ("%s.logs", path);
  g_autofree char *metrics_path = g_strdup_printf ("%s.metrics", path);
  value.path = path;
  if (!vend_yaml_check_keys (value, keys, &reader->report))
    return;
  json_auto_t *example = json_object ();
  VendYamlValue input = vend_yaml_member (value, "input", input_path);
  VendYamlValue output = vend_yaml_member (value, "output", output_path);
  json_auto_t *given = read_map (reader, input);
  json_t *made = output.node != NULL ? vend_yaml_json (output, &reader->json) : json_null ();
  g_autofree char *logs
      = vend_yaml_dup_text (vend_yaml_member (value, "logs", logs_path), &reader->report);
  if (given != NULL && json_object_size (given) > MAX_INPUTS)
    vend_yaml_problem (&reader->report, input.line, "%s: more than %d inputs", input_path,
                       MAX_INPUTS);
  else if (given != NULL)
    note_lines (reader, value, input, given);
  json_object_set (example, "input", given);
  json_object_set_new (example, "output", made);
  vend_json_set_string (example, "logs", logs != NULL ? logs : "");
  read_metrics (reader, vend_yaml_member (value, "metrics", metrics_path), example);
  json_array_append (json_object_get (reader->content, "examples"), example);
}

static void
read_examples (Reader *reader, VendYamlValue root)
{
  VendYamlValue list = vend_yaml_member (root, "examples", "examples");
  if (list.node == NULL)
    return;
  g_autoptr (GArray) items = vend_yaml_items (list, &reader->report);
  json_object_set_new (reader->content, "examples", json_array ());
  if (items->len > VEND_CARD_MAX_EXAMPLES)
    {
      vend_yaml_problem (&reader->report, list.line, "examples: %u of them; at most %d", items->len,
                         VEND_CARD_MAX_EXAMPLES);
      return;
    }
  for (guint i = 0; i < items->len; i++)
    read_example (reader, g_array_index (items, VendYamlValue, i), i);
}

/* ---- The files */

static void
read_root (Reader *reader, VendYamlValue root)
{
  static const char *const keys[]
      = { "description", "github_url", "paper_url", "license_url", "cover", "examples",
          "licenses",    "download",   "accept",    "openai",      NULL };
  if (!vend_yaml_check_keys (root, keys, &reader->report))
    return;
  read_text (reader, root, "description");
  read_url (reader, root, "github_url");
  read_url (reader, root, "paper_url");
  read_url (reader, root, "license_url");
  read_cover (reader, root);
  read_licenses (reader, root);
  read_download (reader, root);
  read_text (reader, root, "accept");
  json_t *openai = vend_card_read_openai (root, &reader->json);
  if (openai != NULL)
    json_object_set_new (reader->content, "openai", openai);
  read_examples (reader, root);
}

static void
read_yaml (Reader *reader)
{
  g_autofree char *path = g_build_filename (reader->dir, VEND_CARD_YAML, NULL);
  g_autofree char *other = g_build_filename (reader->dir, "vend.yml", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) error = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      if (g_file_test (other, G_FILE_TEST_EXISTS))
        vend_yaml_warning (&reader->report, 0,
                           "the file must have this name, not 'vend.yml'; that one is ignored");
      return;
    }
  g_autofree char *trouble = vend_project_file_trouble (reader->dir, VEND_CARD_YAML, NULL);
  if (trouble != NULL || !vend_file_read (path, MAX_YAML, &text, &size, &error))
    {
      vend_yaml_problem (&reader->report, 0, "%s", trouble != NULL ? trouble : error->message);
      return;
    }
  struct fy_document *document = vend_yaml_parse (text, size, &reader->report);
  if (document == NULL)
    return;
  if (vend_yaml_has_second (text, size))
    vend_yaml_problem (&reader->report, 0,
                       "expected one document, and a line '---' begins a second one: join them");
  else
    read_root (reader, vend_yaml_root (document));
  fy_document_destroy (document);
}

/* A README that cannot be shown has never kept a model from being pushed. */
static void
read_readme (Reader *reader, GPtrArray *warnings)
{
  g_autofree char *path = g_build_filename (reader->dir, VEND_CARD_README, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) error = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return;
  g_autofree char *trouble = vend_project_file_trouble (reader->dir, VEND_CARD_README, NULL);
  if (trouble != NULL || !vend_file_read (path, MAX_README, &text, &size, &error))
    g_ptr_array_add (warnings, g_strdup_printf (VEND_CARD_README ": not shown: %s",
                                                trouble != NULL ? trouble : error->message));
  else if (!g_utf8_validate (text, (gssize) size, NULL))
    g_ptr_array_add (warnings, g_strdup (VEND_CARD_README ": not shown: not UTF-8 text"));
  else
    vend_json_set_string (reader->content, "readme", text);
}

VendCard *
vend_card_load (const char *project_dir, GPtrArray *problems, GPtrArray *warnings)
{
  /* Its own list: the caller's may have problems of other files already. */
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  json_auto_t *content = json_object ();
  json_auto_t *lines = json_array ();
  g_autoptr (GHashTable) files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_decref);
  Reader reader = { .dir = project_dir, .content = content, .lines = lines, .files = files };
  reader.report = (VendYamlReport){
    .problems = found, .warnings = warnings, .file = VEND_CARD_YAML, .is_strict = true
  };
  reader.json = (VendYamlJson){
    .report = &reader.report, .on_text = on_text, .data = &reader, .reserved = VEND_CARD_FILE
  };
  read_yaml (&reader);
  read_readme (&reader, warnings);
  const bool is_good = found->len == 0;
  g_ptr_array_extend_and_steal (problems, g_steal_pointer (&found));
  if (!is_good)
    return NULL;
  VendCard *card = g_new0 (VendCard, 1);
  card->content = g_steal_pointer (&content);
  card->lines = g_steal_pointer (&lines);
  return card;
}
