/* Python requirements of a model, made ready for an installer. Any thread; reads files. */
#include "build/requirements.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/pip-line.h"
#include <string.h>

#define MAX_DEPTH 8
#define MAX_TOTAL ((gsize) 4 * 1024 * 1024)

typedef struct
{
  VendRequirements *out;
  const char *source_dir;
  const char *dir;   /* that relative paths start from */
  const char *place; /* for error texts: the file */
  guint line;
  guint depth;
  bool is_constraint;
} Reader;

static bool read_file (const Reader *parent, const char *file, bool is_constraint, GError **error);

void
vend_requirements_free (VendRequirements *requirements)
{
  if (requirements == NULL)
    return;
  g_string_free (requirements->lines, TRUE);
  g_string_free (requirements->options, TRUE);
  g_string_free (requirements->constraints, TRUE);
  g_ptr_array_unref (requirements->dropped);
  g_ptr_array_unref (requirements->addresses);
  g_hash_table_unref (requirements->hashes);
  g_free (requirements->torch_build);
  g_free (requirements);
}

static bool
refuse (const Reader *reader, GError **error, const char *text, const char *why)
{
  return vend_fail (error, VEND_ERROR_INVALID, "%s:%u: '%s' %s", reader->place, reader->line, text,
                    why);
}

/* The source tree holds no links, so the text of a path tells where it leads. */
static bool
resolve_path (const Reader *reader, const char *path, char **out, GError **error)
{
  g_autofree char *full = g_canonicalize_filename (path, reader->dir);
  const gsize length = strlen (reader->source_dir);
  if (strncmp (full, reader->source_dir, length) != 0
      || (full[length] != '/' && full[length] != '\0'))
    return refuse (reader, error, path, "leads outside the project");
  if (!g_file_test (full, G_FILE_TEST_EXISTS))
    return refuse (reader, error, path, "is not in the project");
  *out = g_steal_pointer (&full);
  return true;
}

/* "https://…" or "git+ssh://…". A "://" further on, as in a marker, makes no URL of a path. */
static bool
is_url (const char *text)
{
  gsize length = 0;
  while (g_ascii_isalnum (text[length]) || (text[length] != '\0' && strchr ("+.-", text[length])))
    length++;
  return g_ascii_isalpha (text[0]) && g_str_has_prefix (text + length, "://");
}

static bool
is_local_path (const char *text)
{
  if (is_url (text) || g_str_has_prefix (text, "git+"))
    return false;
  const gsize name_end = strcspn (text, " \t;@[<>=!~");
  const bool has_slash = memchr (text, '/', name_end) != NULL;
  g_autofree char *head = g_strndup (text, name_end);
  return *text == '.' || *text == '/' || has_slash || g_str_has_suffix (head, ".whl")
         || g_str_has_suffix (head, ".tar.gz") || g_str_has_suffix (head, ".zip");
}

static void
add_line (const Reader *reader, const char *text)
{
  GString *target = reader->is_constraint ? reader->out->constraints : reader->out->lines;
  g_string_append_printf (target, "%s\n", text);
}

/* The same option on many lines, as on each package of one index, counts once. */
static void
pass_option (const Reader *reader, const char *name, const char *value)
{
  GString *options = reader->out->options;
  g_autofree char *line
      = value != NULL ? g_strdup_printf ("%s %s\n", name, value) : g_strdup_printf ("%s\n", name);
  const char *there = strstr (options->str, line);
  while (there != NULL && there != options->str && there[-1] != '\n')
    there = strstr (there + 1, line);
  if (there == NULL)
    g_string_append (options, line);
}

static void
add_address (const Reader *reader, const char *url)
{
  g_ptr_array_add (reader->out->addresses, g_strdup (url));
}

/* `prefix` is "" or "name @ "; `rest` may end in extras or a marker. */
static bool
add_local (const Reader *reader, const char *prefix, const char *rest, GError **error)
{
  const gsize end = strcspn (rest, "[;# \t");
  g_autofree char *path = g_strndup (rest, end);
  g_autofree char *full = NULL;
  if (!resolve_path (reader, path, &full, error))
    return false;
  g_autofree char *place
      = *prefix != '\0' ? g_filename_to_uri (full, NULL, error) : g_strdup (full);
  if (place == NULL)
    return false;
  g_autofree char *line = g_strconcat (prefix, place, rest + end, NULL);
  add_line (reader, line);
  reader->out->has_local = true;
  return true;
}

static bool
is_ours (const char *name)
{
  return strcmp (name, "cog") == 0 || strcmp (name, "coglet") == 0;
}

/* PyTorch keeps its builds in indexes of their own, and one environment can have only one. */
static bool
note_torch (const Reader *reader, const char *text, GError **error)
{
  g_autofree char *build = vend_pip_torch_build (text);
  char **known = &reader->out->torch_build;
  if (build == NULL || reader->is_constraint)
    return true;
  if (*known != NULL && strcmp (*known, build) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s:%u: '%s' is a build for '%s', and another package of PyTorch is a build "
                      "for '%s'; request the same build for all",
                      reader->place, reader->line, text, build, *known);
  g_free (*known);
  *known = g_steal_pointer (&build);
  return true;
}

static bool
add_requirement (const Reader *reader, const char *text, GError **error)
{
  g_autofree char *name = vend_pip_package_name (text);
  if (is_local_path (text))
    return add_local (reader, "", text, error);
  if (is_ours (name))
    {
      g_ptr_array_add (reader->out->dropped, g_strdup (text));
      return true;
    }
  if (g_ascii_strncasecmp (text, "file:", 5) == 0)
    return add_local (reader, "", g_str_has_prefix (text + 5, "//") ? text + 7 : text + 5, error);
  const char *at = strstr (text, "@");
  /* In a URL it ends a user, not a name. */
  if (is_url (text))
    at = NULL;
  const char *target = at != NULL ? at + 1 + strspn (at + 1, " \t") : NULL;
  if (target != NULL && g_ascii_strncasecmp (target, "file:", 5) == 0)
    target += g_str_has_prefix (target + 5, "//") ? 7 : 5;
  else if (target == NULL || !is_local_path (target))
    {
      /* Version control from a local path would leave the project too. */
      if (strstr (text, "+file:") != NULL)
        return refuse (reader, error, text, "is a repository on this machine");
      if (target != NULL || is_url (text))
        add_address (reader, target != NULL ? target : text);
      add_line (reader, text);
      return note_torch (reader, text, error);
    }
  g_autofree char *prefix = g_strndup (text, (gsize) (at - text));
  g_autofree char *joined = g_strconcat (g_strchomp (prefix), " @ ", NULL);
  return add_local (reader, joined, target, error);
}

static bool
add_find_links (const Reader *reader, const char *value, GError **error)
{
  if (is_url (value) && g_ascii_strncasecmp (value, "file:", 5) != 0)
    {
      add_address (reader, value);
      pass_option (reader, "--find-links", value);
      return true;
    }
  g_autofree char *full = NULL;
  if (!resolve_path (reader, value, &full, error))
    return false;
  pass_option (reader, "--find-links", full);
  reader->out->has_local = true;
  return true;
}

static bool
add_index (const Reader *reader, const VendPipOption *option, GError **error)
{
  if (g_ascii_strncasecmp (option->value, "http://", 7) != 0
      && g_ascii_strncasecmp (option->value, "https://", 8) != 0)
    return refuse (reader, error, option->value, "is no http or https URL of a package index");
  add_address (reader, option->value);
  pass_option (reader, option->name, option->value);
  return true;
}

/* Installed as the project's own package; where there is none, the folder is on Python's path
 * anyway. */
static bool
is_bare_project (const Reader *reader, const char *path)
{
  static const char *const files[] = { "pyproject.toml", "setup.py", "setup.cfg" };
  g_autofree char *full = g_canonicalize_filename (path, reader->dir);
  if (strcmp (full, reader->source_dir) != 0)
    return false;
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *file = g_build_filename (full, files[i], NULL);
      if (g_file_test (file, G_FILE_TEST_EXISTS))
        return false;
    }
  return true;
}

static bool
add_option (const Reader *reader, const VendPipOption *option, GError **error)
{
  if (strcmp (option->name, "--requirement") == 0)
    return read_file (reader, option->value, reader->is_constraint, error);
  if (strcmp (option->name, "--constraint") == 0)
    return read_file (reader, option->value, true, error);
  /* An installed version never changes, so an editable install is a plain one. */
  if (strcmp (option->name, "--editable") == 0)
    return is_bare_project (reader, option->value)
           || add_requirement (reader, option->value, error);
  if (strcmp (option->name, "--find-links") == 0)
    return add_find_links (reader, option->value, error);
  if (strcmp (option->name, "--index-url") == 0 || strcmp (option->name, "--extra-index-url") == 0)
    return add_index (reader, option, error);
  if (strcmp (option->name, "--hash") == 0)
    return refuse (reader, error, option->value, "is a hash of no package");
  pass_option (reader, option->name, option->value);
  return true;
}

static bool
add_hash (const Reader *reader, const char *requirement, const char *value, GError **error)
{
  GHashTable *hashes = reader->out->hashes;
  if (is_url (requirement))
    return refuse (reader, error, requirement, "has a hash but no name; write 'name @ URL'");
  char *name = vend_pip_package_name (requirement);
  const char *known = g_hash_table_lookup (hashes, name);
  if (is_local_path (requirement) || is_ours (name))
    {
      g_free (name);
      return true;
    }
  if (!g_regex_match_simple ("\\Asha(256|384|512):[0-9a-f]{64,128}\\z", value, G_REGEX_DEFAULT,
                             G_REGEX_MATCH_DEFAULT))
    {
      g_free (name);
      return refuse (reader, error, value, "is no hash like sha256:0123…");
    }
  g_hash_table_replace (hashes, name,
                        g_strdup_printf ("%s --hash=%s", known != NULL ? known : "", value));
  return true;
}

static bool
add_words (const Reader *reader, const char *text, GError **error)
{
  g_autoptr (VendPipLine) line = NULL;
  if (!vend_pip_line_parse (text, &line, error))
    {
      g_prefix_error (error, "%s:%u: ", reader->place, reader->line);
      return false;
    }
  const bool has_requirement = *line->requirement != '\0';
  if (has_requirement && !add_requirement (reader, line->requirement, error))
    return false;
  for (guint i = 0; i < line->options->len; i++)
    {
      const VendPipOption *option = g_ptr_array_index (line->options, i);
      const bool is_hash = strcmp (option->name, "--hash") == 0;
      if (has_requirement && is_hash ? !add_hash (reader, line->requirement, option->value, error)
                                     : !add_option (reader, option, error))
        return false;
    }
  return true;
}

static bool
ends_line (gunichar c)
{
  return (c != '\t' && g_unichar_iscntrl (c)) || c == 0x2028 || c == 0x2029;
}

static bool
add_text (const Reader *reader, char *text, GError **error)
{
  for (char *hash = strchr (text, '#'); hash != NULL; hash = strchr (hash + 1, '#'))
    if (hash == text || g_ascii_isspace (hash[-1]))
      {
        *hash = '\0';
        break;
      }
  g_strstrip (text);
  if (*text == '\0')
    return true;
  /* Installers end a line at more characters than we do; what follows would be another line. */
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    if (ends_line (g_utf8_get_char (c)))
      return refuse (reader, error, text, "holds a control character");
  if (reader->out->lines->len + reader->out->options->len + reader->out->constraints->len
      > MAX_TOTAL)
    return refuse (reader, error, text, "is beyond the length limit of the requirements");
  if (g_regex_match_simple ("\\$\\{[A-Za-z0-9_]+\\}", text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
    return refuse (reader, error, text,
                   "names an environment variable, which a build does not have; write the value");
  return add_words (reader, text, error);
}

static bool
read_lines (Reader *reader, char **lines, GError **error)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_strchomp (lines[i]);
      const gsize length = strlen (lines[i]);
      if (joined->len == 0)
        reader->line = i + 1;
      const bool goes_on = length > 0 && lines[i][length - 1] == '\\';
      g_string_append_len (joined, lines[i], (gssize) (goes_on ? length - 1 : length));
      if (goes_on && lines[i + 1] != NULL)
        continue;
      g_autofree char *text = g_strdup (joined->str);
      g_string_truncate (joined, 0);
      if (!add_text (reader, text, error))
        return false;
    }
  return true;
}

static bool
read_file (const Reader *parent, const char *file, bool is_constraint, GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (parent->depth >= MAX_DEPTH)
    return refuse (parent, error, file, "is included at too many levels");
  if (strstr (file, "://") != NULL)
    return refuse (parent, error, file, "is not a file of the project");
  if (!resolve_path (parent, file, &path, error))
    return false;
  if (!vend_file_read (path, VEND_REQUIREMENTS_MAX_SIZE, &text, &size, error))
    return false;
  if (strlen (text) != size || !g_utf8_validate (text, (gssize) size, NULL))
    return refuse (parent, error, file, "is not UTF-8 text");
  g_autofree char *dir = g_path_get_dirname (path);
  Reader reader = *parent;
  reader.dir = dir;
  reader.place = path + strlen (parent->source_dir) + 1;
  reader.depth = parent->depth + 1;
  reader.is_constraint = is_constraint;
  g_auto (GStrv) lines
      = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text, "\n", -1);
  return read_lines (&reader, lines, error);
}

bool
vend_requirements_read (const char *source_dir, const char *file, char **packages,
                        VendRequirements **out, GError **error)
{
  g_autoptr (VendRequirements) requirements = g_new0 (VendRequirements, 1);
  requirements->lines = g_string_new (NULL);
  requirements->options = g_string_new (NULL);
  requirements->constraints = g_string_new (NULL);
  requirements->dropped = g_ptr_array_new_with_free_func (g_free);
  requirements->addresses = g_ptr_array_new_with_free_func (g_free);
  requirements->hashes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *root = g_canonicalize_filename (source_dir, NULL);
  Reader reader = { .out = requirements, .source_dir = root, .dir = root, .place = "cog.yaml" };

  if (file != NULL && !read_file (&reader, file, false, error))
    return false;
  reader.place = "cog.yaml: build.python_packages";
  for (guint i = 0; packages[i] != NULL; i++)
    {
      g_autofree char *text = g_strdup (packages[i]);
      reader.line = i + 1;
      if (strpbrk (text, "\r\n") != NULL)
        return refuse (&reader, error, text, "holds a line break");
      if (!add_text (&reader, text, error))
        return false;
    }
  *out = g_steal_pointer (&requirements);
  return true;
}
