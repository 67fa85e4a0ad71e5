/* cog.yaml: what its keys mean and the rules they must keep. Blocks on disk for the file itself and
 * for a look at the files it names. */
#include "build/cog-yaml.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/cog-yaml-private.h"
#include "build/run-command.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIN_PYTHON_MINOR 10
/* From here on asyncio has what the model server needs for several predictions at once. */
#define MIN_PYTHON_MINOR_CONCURRENT 11
#define MAX_CONCURRENCY 256

typedef struct
{
  const char *dir;
  VendCogYaml *yaml;
  VendYamlReport report;
  int python_minor; /* 0 = not known */
} Reader;

void
vend_cog_yaml_free (VendCogYaml *yaml)
{
  if (yaml == NULL)
    return;
  g_free (yaml->python_version);
  g_free (yaml->python_requirements);
  g_strfreev (yaml->python_packages);
  g_strfreev (yaml->system_packages);
  g_strfreev (yaml->run);
  g_strfreev (yaml->environment);
  g_free (yaml->predict);
  g_free (yaml->train);
  g_clear_pointer (&yaml->weights, g_ptr_array_unref);
  json_decref (yaml->meaning);
  g_free (yaml);
}

char *
vend_project_file_trouble (const char *dir, const char *path, char **out_inside)
{
  char target[PATH_MAX];
  char top[PATH_MAX];
  struct stat status;
  g_autofree char *shown = vend_yaml_shown (path);
  g_autofree char *full = g_build_filename (dir, path, NULL);
  if (path[0] == '\0')
    return g_strdup ("expected the path of a file, got ''");
  if (g_path_is_absolute (path))
    return g_strdup_printf ("'%s' must be relative to the folder of cog.yaml", shown);
  if (realpath (dir, top) == NULL || realpath (full, target) == NULL)
    return errno == ENOENT ? g_strdup_printf ("file '%s' does not exist", shown)
                           : g_strdup_printf ("file '%s': %s", shown, g_strerror (errno));
  gsize length = strcmp (top, "/") == 0 ? 0 : strlen (top);
  if (strncmp (target, top, length) != 0 || target[length] != '/')
    return g_strdup_printf ("'%s' lies outside of the project", shown);
  if (stat (target, &status) < 0 || !S_ISREG (status.st_mode))
    return g_strdup_printf ("'%s' is not a file", shown);
  if (out_inside != NULL)
    *out_inside = g_strdup (target + length + 1);
  return NULL;
}

/* For packages: they stand in files, one a line, and on command lines. `is_name` when an item is a
 * name alone; a line of Python's may be an option as well. */
static char **
read_packages (Reader *reader, VendYamlValue list, bool is_name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) items = vend_yaml_items (list, &reader->report);
  for (guint i = 0; i < items->len; i++)
    {
      VendYamlValue item = g_array_index (items, VendYamlValue, i);
      char *name = vend_yaml_dup_text (item, &reader->report);
      if (name == NULL)
        continue;
      g_ptr_array_add (names, g_strstrip (name));
      g_autofree char *shown = vend_yaml_shown (name);
      if (name[0] == '\0' || (is_name && name[0] == '-') || strpbrk (name, "\r\n") != NULL)
        vend_yaml_problem (&reader->report, item.line,
                           "%s: expected the name of a package, got '%s'", list.path, shown);
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static void
read_python_version (Reader *reader, VendYamlValue build)
{
  VendYamlValue value = vend_yaml_member (build, "python_version", "build.python_version");
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  if (text == NULL)
    {
      if (build.node != NULL && value.node == NULL)
        vend_yaml_warning (&reader->report, build.line,
                           "build.python_version: not set, the server's default is used; set a "
                           "version so that builds stay the same");
      return;
    }
  g_autofree char *shown = vend_yaml_shown (text);
  if (!g_regex_match_simple ("\\A[0-9]{1,3}\\.[0-9]{1,3}(\\.[0-9]{1,3})?\\z", text, G_REGEX_DEFAULT,
                             G_REGEX_MATCH_DEFAULT))
    {
      vend_yaml_problem (&reader->report, value.line,
                         "build.python_version: expected a version like 3.12 or 3.12.4, got '%s'",
                         shown);
      return;
    }
  char *end = NULL;
  guint64 major = g_ascii_strtoull (text, &end, 10);
  guint64 minor = g_ascii_strtoull (end + 1, NULL, 10);
  if (major != 3 || minor < MIN_PYTHON_MINOR)
    {
      vend_yaml_problem (&reader->report, value.line,
                         "build.python_version: expected 3.%d or a later 3.x, got '%s'",
                         MIN_PYTHON_MINOR, shown);
      return;
    }
  reader->python_minor = (int) minor;
  reader->yaml->python_version = g_steal_pointer (&text);
}

static void
read_packages_of_python (Reader *reader, VendYamlValue build)
{
  VendYamlValue file = vend_yaml_member (build, "python_requirements", "build.python_requirements");
  VendYamlValue list = vend_yaml_member (build, "python_packages", "build.python_packages");
  VendCogYaml *yaml = reader->yaml;

  yaml->python_requirements = vend_yaml_dup_text (file, &reader->report);
  if (yaml->python_requirements != NULL)
    {
      g_autofree char *trouble
          = vend_project_file_trouble (reader->dir, yaml->python_requirements, NULL);
      if (trouble != NULL)
        vend_yaml_problem (&reader->report, file.line, "%s: %s", file.path, trouble);
    }
  yaml->python_packages = read_packages (reader, list, false);
  if (list.node != NULL)
    vend_yaml_warning (&reader->report, list.line,
                       "build.python_packages: deprecated; use build.python_requirements");
  if (file.node != NULL && yaml->python_packages[0] != NULL)
    vend_yaml_problem (
        &reader->report, list.line,
        "build.python_packages: cannot be set together with build.python_requirements");
}

static void
check_mounts (Reader *reader, VendYamlValue list, GPtrArray *notes)
{
  g_autoptr (GArray) items = vend_yaml_items (list, &reader->report);
  for (guint i = 0; i < items->len; i++)
    {
      VendYamlValue item = g_array_index (items, VendYamlValue, i);
      static const char *const keys[]
          = { "type", "id", "target", "source", "from", "sharing", "readonly", NULL };
      g_autoptr (GError) error = NULL;
      if (!vend_yaml_check_keys (item, keys, &reader->report))
        continue;
      g_autofree char *type
          = vend_yaml_dup_text (vend_yaml_member (item, "type", list.path), &reader->report);
      g_autofree char *id
          = vend_yaml_dup_text (vend_yaml_member (item, "id", list.path), &reader->report);
      g_autofree char *target
          = vend_yaml_dup_text (vend_yaml_member (item, "target", list.path), &reader->report);
      if (!vend_run_command_check_mount (type, id, target, notes, &error))
        vend_yaml_problem (&reader->report, item.line, "build.run: %s", error->message);
    }
}

/* What the shell gets of `text`; NULL when it cannot be run here. */
static char *
plain_command (Reader *reader, VendYamlValue item, const char *text, GPtrArray *notes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *command = NULL;
  if (!vend_run_command_read (text, notes, &command, &error))
    {
      vend_yaml_problem (&reader->report, item.line, "build.run: %s", error->message);
      return NULL;
    }
  for (guint i = 0; i < notes->len; i++)
    vend_yaml_warning (&reader->report, item.line, "build.run: %s",
                       (const char *) g_ptr_array_index (notes, i));
  if (command[0] == '\0')
    vend_yaml_problem (&reader->report, item.line, "%s: an empty command", item.path);
  g_autofree char *advice = vend_run_command_advice (command);
  g_autofree char *shown = vend_yaml_shown (command);
  if (advice != NULL && !reader->report.for_image)
    vend_yaml_warning (&reader->report, item.line, "build.run: '%s': %s", shown, advice);
  return g_steal_pointer (&command);
}

static char *
read_command (Reader *reader, VendYamlValue item)
{
  static const char *const keys[] = { "command", "mounts", NULL };
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  VendYamlValue text_value = item;
  if (fy_node_is_mapping (item.node))
    {
      vend_yaml_check_keys (item, keys, &reader->report);
      text_value = vend_yaml_member (item, "command", "build.run.command");
      check_mounts (reader, vend_yaml_member (item, "mounts", "build.run.mounts"), notes);
      if (text_value.node == NULL)
        vend_yaml_problem (&reader->report, item.line, "%s: a map without 'command'", item.path);
    }
  g_autofree char *text = vend_yaml_dup_text (text_value, &reader->report);
  if (text == NULL)
    return NULL;
  g_strstrip (text);
  if (strpbrk (text, "\r\n") != NULL)
    {
      vend_yaml_problem (&reader->report, item.line,
                         "%s: a command with a line break; make each line its own item", item.path);
      return NULL;
    }
  return plain_command (reader, item, text, notes);
}

static void
read_commands (Reader *reader, VendYamlValue build)
{
  g_autoptr (GPtrArray) commands = g_ptr_array_new_with_free_func (g_free);
  VendYamlValue lists[] = {
    vend_yaml_member (build, "run", "build.run"),
    vend_yaml_member (build, "pre_install", "build.pre_install"),
  };
  for (gsize l = 0; l < G_N_ELEMENTS (lists); l++)
    {
      g_autoptr (GArray) items = vend_yaml_items (lists[l], &reader->report);
      for (guint i = 0; i < items->len; i++)
        {
          char *command = read_command (reader, g_array_index (items, VendYamlValue, i));
          if (command != NULL)
            g_ptr_array_add (commands, command);
        }
    }
  if (lists[1].node != NULL)
    vend_yaml_warning (&reader->report, lists[1].line,
                       "build.pre_install: deprecated; use build.run");
  g_ptr_array_add (commands, NULL);
  reader->yaml->run = (char **) g_ptr_array_free (g_steal_pointer (&commands), FALSE);
}

static void
read_build (Reader *reader, VendYamlValue build)
{
  static const char *const keys[] = { "python_version",
                                      "gpu",
                                      "cuda",
                                      "cudnn",
                                      "python_requirements",
                                      "python_packages",
                                      "system_packages",
                                      "run",
                                      "pre_install",
                                      "sdk_version",
                                      NULL };
  static const char *const ignored_texts[] = { "cuda", "cudnn", "sdk_version" };
  bool is_map = vend_yaml_check_keys (build, keys, &reader->report);
  if (!is_map)
    build.node = NULL;

  read_python_version (reader, build);
  reader->yaml->gpu
      = vend_yaml_bool (vend_yaml_member (build, "gpu", "build.gpu"), &reader->report);
  for (gsize i = 0; i < G_N_ELEMENTS (ignored_texts); i++)
    {
      g_autofree char *path = g_strconcat ("build.", ignored_texts[i], NULL);
      VendYamlValue value = vend_yaml_member (build, ignored_texts[i], path);
      g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
      if (text != NULL && strcmp (ignored_texts[i], "sdk_version") == 0)
        vend_yaml_warning (&reader->report, value.line,
                           "build.sdk_version: ignored, the server decides the version of Cog");
    }
  read_packages_of_python (reader, build);
  VendYamlValue packages = vend_yaml_member (build, "system_packages", "build.system_packages");
  reader->yaml->system_packages = read_packages (reader, packages, true);
  read_commands (reader, build);
}

static bool
is_identifier (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && *at != '_' && (guchar) *at < 0x80)
      return false;
  return text[0] != '\0' && !g_ascii_isdigit (text[0]);
}

/* "file.py:Name", or NULL when not set. A wrong one is reported. Free with g_free. */
static char *
read_reference (Reader *reader, VendYamlValue value, const char *example)
{
  static const char separator[] = ".py:";
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  if (text == NULL)
    return NULL;

  g_autofree char *shown = vend_yaml_shown (text);
  const char *at = strstr (text, separator);
  if (at == NULL || at == text || strstr (at + 1, separator) != NULL
      || !is_identifier (at + strlen (separator)))
    {
      vend_yaml_problem (&reader->report, value.line, "%s: expected the form '%s', got '%s'",
                         value.path, example, shown);
      return g_steal_pointer (&text);
    }
  g_autofree char *file = g_strndup (text, (gsize) (at - text) + strlen (".py"));
  g_autofree char *trouble = vend_project_file_trouble (reader->dir, file, NULL);
  if (trouble != NULL)
    vend_yaml_problem (&reader->report, value.line, "%s: %s", value.path, trouble);
  return g_steal_pointer (&text);
}

static void
read_references (Reader *reader, VendYamlValue root)
{
  VendYamlValue run = vend_yaml_member (root, "run", "run");
  VendYamlValue predict = vend_yaml_member (root, "predict", "predict");
  VendYamlValue train = vend_yaml_member (root, "train", "train");
  VendCogYaml *yaml = reader->yaml;

  g_autofree char *run_text = read_reference (reader, run, "run.py:Runner");
  g_autofree char *predict_text = read_reference (reader, predict, "predict.py:Predictor");
  yaml->train = read_reference (reader, train, "train.py:train");
  if (predict.node != NULL)
    vend_yaml_warning (&reader->report, predict.line, "predict: deprecated; the key is now 'run'");
  if (run.node != NULL && predict.node != NULL)
    vend_yaml_problem (&reader->report, predict.line, "predict: cannot be set together with 'run'");
  if (run.node == NULL && predict.node == NULL && train.node == NULL)
    vend_yaml_problem (&reader->report, 0,
                       "no model: set 'run' to the file and class that run it, "
                       "like 'run: run.py:Runner'");
  yaml->predict = run_text != NULL ? g_steal_pointer (&run_text) : g_steal_pointer (&predict_text);
}

static bool
is_denied_variable (const char *name)
{
  static const char *const names[] = {
    "PATH",        "LD_LIBRARY_PATH",           "PYTHONPATH",       "VIRTUAL_ENV", "LIBRARY_PATH",
    "HF_ENDPOINT", "HF_HUB_ENABLE_HF_TRANSFER", "PYTHONUNBUFFERED", NULL
  };
  static const char *const prefixes[]
      = { "R8_", "REPLICATE_", "CUDA_", "NVIDIA_", "NV_", "PGET_", "KUBERNETES_" };
  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return true;
  return g_strv_contains (names, name);
}

static bool
is_variable_name (const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at))
      return false;
  return name[0] != '\0';
}

static void
check_variable (Reader *reader, VendYamlValue item, const char *text, GHashTable *seen)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name
      = g_strndup (text, equals != NULL ? (gsize) (equals - text) : strlen (text));
  g_autofree char *shown = vend_yaml_shown (name);
  if (equals == NULL || !is_variable_name (name))
    vend_yaml_problem (&reader->report, item.line, "environment: expected KEY=VALUE%s%s%s",
                       equals == NULL ? ", got '" : "", equals == NULL ? shown : "",
                       equals == NULL ? "'" : " with a name before the '='");
  else if (is_denied_variable (name))
    vend_yaml_problem (&reader->report, item.line,
                       "environment: '%s' is reserved, the server sets it", shown);
  else if (!g_hash_table_add (seen, g_steal_pointer (&name)))
    vend_yaml_problem (&reader->report, item.line, "environment: '%s' is set twice", shown);
}

static void
read_environment (Reader *reader, VendYamlValue root)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  VendYamlValue list = vend_yaml_member (root, "environment", "environment");
  g_autoptr (GArray) items = vend_yaml_items (list, &reader->report);
  for (guint i = 0; i < items->len; i++)
    {
      VendYamlValue item = g_array_index (items, VendYamlValue, i);
      char *text = vend_yaml_dup_text (item, &reader->report);
      if (text == NULL)
        continue;
      check_variable (reader, item, text, seen);
      g_ptr_array_add (texts, text);
    }
  g_ptr_array_add (texts, NULL);
  reader->yaml->environment = (char **) g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

static void
read_concurrency (Reader *reader, VendYamlValue root)
{
  static const char *const keys[] = { "max", "default_target", NULL };
  VendYamlValue map = vend_yaml_member (root, "concurrency", "concurrency");
  if (!vend_yaml_check_keys (map, keys, &reader->report))
    return;
  VendYamlValue value = vend_yaml_member (map, "max", "concurrency.max");
  g_autofree char *text = vend_yaml_dup_text (value, &reader->report);
  gint64 max = 0;
  if (text == NULL)
    return;
  if (!g_ascii_string_to_signed (text, 10, 1, MAX_CONCURRENCY, &max, NULL))
    {
      g_autofree char *shown = vend_yaml_shown (text);
      vend_yaml_problem (&reader->report, value.line,
                         "concurrency.max: expected a number from 1 to %d, got '%s'",
                         MAX_CONCURRENCY, shown);
      return;
    }
  if (max > 1 && reader->python_minor != 0 && reader->python_minor < MIN_PYTHON_MINOR_CONCURRENT)
    vend_yaml_problem (&reader->report, value.line,
                       "concurrency.max: more than 1 needs build.python_version 3.%d or later",
                       MIN_PYTHON_MINOR_CONCURRENT);
  reader->yaml->concurrency = (int) max;
}

static json_t *
json_list (char *const *texts)
{
  json_t *list = json_array ();
  for (gsize i = 0; texts[i] != NULL; i++)
    json_array_append_new (list, vend_json_string_new (texts[i], strlen (texts[i])));
  return list;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Every key is there and in one order, so that what does not change the model does not change this.
 */
static json_t *
meaning_of (const VendCogYaml *yaml)
{
  json_t *meaning = json_object ();
  g_auto (GStrv) environment = g_strdupv (yaml->environment);
  qsort (environment, g_strv_length (environment), sizeof *environment, compare_texts);
  json_object_set_new (meaning, "concurrency", json_integer (yaml->concurrency));
  json_object_set_new (meaning, "environment", json_list (environment));
  vend_json_set_bool (meaning, "gpu", yaml->gpu);
  json_object_set_new (meaning, "python_packages", json_list (yaml->python_packages));
  vend_json_set_string (meaning, "python_requirements", yaml->python_requirements);
  vend_json_set_string (meaning, "python_version", yaml->python_version);
  json_object_set_new (meaning, "run", json_list (yaml->run));
  vend_json_set_string (meaning, "runner", yaml->predict);
  json_object_set_new (meaning, "system_packages", json_list (yaml->system_packages));
  vend_json_set_string (meaning, "train", yaml->train);
  return meaning;
}

static void
read_root (Reader *reader, VendYamlValue root)
{
  static const char *const keys[] = { "build", "run",         "predict",     "train",   "image",
                                      "model", "concurrency", "environment", "weights", NULL };
  static const char *const names[] = { "image", "model" };
  if (!vend_yaml_check_keys (root, keys, &reader->report))
    return;
  read_build (reader, vend_yaml_member (root, "build", "build"));
  read_references (reader, root);
  read_environment (reader, root);
  read_concurrency (reader, root);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (vend_yaml_dup_text (vend_yaml_member (root, names[i], names[i]), &reader->report));
  VendYamlValue weights = vend_yaml_member (root, "weights", "weights");
  reader->yaml->weights = vend_cog_weights_read (weights, &reader->report);
  if (reader->report.for_image && reader->yaml->weights != NULL && reader->yaml->weights->len > 0)
    vend_yaml_problem (&reader->report, weights.line,
                       "weights: a build as an image takes none; push without --image, or fetch "
                       "them in build.run or setup()");
}

static char *
read_file (const char *project_dir, const VendYamlReport *report, gsize *out_size)
{
  g_autofree char *path = g_build_filename (project_dir, "cog.yaml", NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  if (vend_file_read (path, VEND_COG_YAML_MAX_SIZE, &text, out_size, &error))
    return text;
  g_autofree char *other = g_build_filename (project_dir, "cog.yml", NULL);
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND)
      && g_file_test (other, G_FILE_TEST_EXISTS))
    vend_yaml_problem (report, 0, "the file must have this name, not 'cog.yml'; rename it");
  else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    vend_yaml_problem (report, 0, "the file is missing at the top of the folder; %s",
                       VEND_COG_YAML_FIRST_STEP);
  else
    vend_yaml_problem (report, 0, "%s", error->message);
  return NULL;
}

static VendCogYaml *
read_text (const char *project_dir, const char *text, gsize size, const VendYamlReport *report)
{
  g_autoptr (VendCogYaml) yaml = g_new0 (VendCogYaml, 1);
  Reader reader = { .dir = project_dir, .yaml = yaml, .report = *report };
  struct fy_document *document = vend_yaml_parse (text, size, report);
  if (document != NULL)
    {
      read_root (&reader, vend_yaml_root (document));
      fy_document_destroy (document);
    }
  if (report->problems->len > 0)
    return NULL;
  if (yaml->weights == NULL)
    yaml->weights = g_ptr_array_new ();
  yaml->meaning = meaning_of (yaml);
  return g_steal_pointer (&yaml);
}

static VendCogYaml *
read_all (const char *project_dir, const char *text, gsize size, bool for_image,
          GPtrArray *problems, GPtrArray *warnings)
{
  /* Its own list: the caller's may have problems of other files already. */
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  VendYamlReport report = { .problems = found, .warnings = warnings, .for_image = for_image };
  VendCogYaml *yaml = read_text (project_dir, text, size, &report);
  g_ptr_array_extend_and_steal (problems, g_steal_pointer (&found));
  return yaml;
}

VendCogYaml *
vend_cog_yaml_read (const char *project_dir, const char *text, gsize size, GPtrArray *problems,
                    GPtrArray *warnings)
{
  return read_all (project_dir, text, size, false, problems, warnings);
}

static VendCogYaml *
load (const char *project_dir, bool for_image, GPtrArray *problems, GPtrArray *warnings)
{
  gsize size = 0;
  VendYamlReport report = { .problems = problems, .warnings = warnings };
  g_autofree char *text = read_file (project_dir, &report, &size);
  return text != NULL ? read_all (project_dir, text, size, for_image, problems, warnings) : NULL;
}

VendCogYaml *
vend_cog_yaml_load (const char *project_dir, GPtrArray *problems, GPtrArray *warnings)
{
  return load (project_dir, false, problems, warnings);
}

VendCogYaml *
vend_cog_yaml_load_for_image (const char *project_dir, GPtrArray *problems, GPtrArray *warnings)
{
  return load (project_dir, true, problems, warnings);
}
