/* Python requirements of a model, made ready for an installer. Any thread; reads files. */
#include "build/requirements.h"
#include "base/error.h"
#include "base/fd.h"
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

/* "Cog[x] >= 1" → "cog", with what separates words made one as package indexes do. */
static char *
package_name (const char *line)
{
  gsize length = 0;
  while (g_ascii_isalnum (line[length]) || (line[length] != '\0' && strchr ("._-", line[length])))
    length++;
  g_autofree char *name = g_ascii_strdown (line, (gssize) length);
  g_autoptr (GString) plain = g_string_new (NULL);
  for (const char *p = name; *p != '\0'; p++)
    {
      const bool separates = strchr ("._-", *p) != NULL;
      if (!separates)
        g_string_append_c (plain, *p);
      else if (plain->len == 0 || plain->str[plain->len - 1] != '-')
        g_string_append_c (plain, '-');
    }
  return g_string_free (g_steal_pointer (&plain), FALSE);
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
add_requirement (const Reader *reader, const char *text, GError **error)
{
  g_autofree char *name = package_name (text);
  if (is_local_path (text))
    return add_local (reader, "", text, error);
  if (strcmp (name, "cog") == 0 || strcmp (name, "coglet") == 0)
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
      add_line (reader, text);
      return true;
    }
  g_autofree char *prefix = g_strndup (text, (gsize) (at - text));
  g_autofree char *joined = g_strconcat (g_strchomp (prefix), " @ ", NULL);
  return add_local (reader, joined, target, error);
}

/* "-r x", "-rx", "--requirement x", "--requirement=x" → x; NULL when it is another option. */
static const char *
option_value (const char *text, const char *brief, const char *full)
{
  const gsize length = strlen (full);
  const char *value = NULL;
  if (strncmp (text, full, length) == 0 && (text[length] == '=' || g_ascii_isspace (text[length])))
    value = text + length + 1;
  else if (brief != NULL && strncmp (text, brief, 2) == 0 && text[1] != '-')
    value = text + 2 + (text[2] == '=' ? 1 : 0);
  return value != NULL ? value + strspn (value, " \t") : NULL;
}

static bool
add_find_links (const Reader *reader, const char *value, GError **error)
{
  if (strstr (value, "://") != NULL && g_ascii_strncasecmp (value, "file:", 5) != 0)
    {
      g_string_append_printf (reader->out->options, "--find-links %s\n", value);
      return true;
    }
  g_autofree char *full = NULL;
  if (!resolve_path (reader, value, &full, error))
    return false;
  g_string_append_printf (reader->out->options, "--find-links %s\n", full);
  reader->out->has_local = true;
  return true;
}

static bool
add_option (const Reader *reader, const char *text, GError **error)
{
  const char *value = NULL;
  if ((value = option_value (text, "-r", "--requirement")) != NULL)
    return read_file (reader, value, reader->is_constraint, error);
  if ((value = option_value (text, "-c", "--constraint")) != NULL)
    return read_file (reader, value, true, error);
  /* An installed version never changes, so an editable install is a plain one. */
  if ((value = option_value (text, "-e", "--editable")) != NULL)
    return add_requirement (reader, value, error);
  if ((value = option_value (text, "-f", "--find-links")) != NULL)
    return add_find_links (reader, value, error);
  if ((value = option_value (text, "-i", "--index-url")) != NULL)
    {
      g_string_append_printf (reader->out->options, "--index-url %s\n", value);
      return true;
    }
  static const char *const passed[]
      = { "--extra-index-url", "--no-binary", "--only-binary", "--trusted-host" };
  for (gsize i = 0; i < G_N_ELEMENTS (passed); i++)
    if ((value = option_value (text, NULL, passed[i])) != NULL)
      {
        g_string_append_printf (reader->out->options, "%s %s\n", passed[i], value);
        return true;
      }
  if (strcmp (text, "--no-index") == 0 || strcmp (text, "--pre") == 0
      || strcmp (text, "--prefer-binary") == 0)
    {
      g_string_append_printf (reader->out->options, "%s\n", text);
      return true;
    }
  return refuse (reader, error, text, "is not an option that is understood here");
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
    return refuse (reader, error, text, "is one too many: the requirements are too long");
  return *text == '-' ? add_option (reader, text, error) : add_requirement (reader, text, error);
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
    return refuse (parent, error, file, "is included too deeply");
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
