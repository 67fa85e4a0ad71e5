/* Where managed weights come from. Pure. */
#include "weights/source.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/weight-set.h"
#include <fnmatch.h>
#include <string.h>

#define FILE_SCHEME "file://"
#define HUB_SCHEME "hf://"
#define HTTPS "https://"
#define HTTP "http://"
#define DEFAULT_REVISION "main"
#define COMMIT_LENGTH 40
#define MAX_URI 2048
#define MAX_REVISION 255
#define UNESCAPED "/"

void
vend_weight_source_free (VendWeightSource *source)
{
  if (source == NULL)
    return;
  g_free (source->uri);
  g_free (source->path);
  g_free (source->name);
  g_free (source->repo);
  g_free (source->revision);
  g_free (source->sha256);
  g_strfreev (source->include);
  g_strfreev (source->exclude);
  g_free (source);
}

static bool
has_controls (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at) || *at == ' ')
      return true;
  return false;
}

/* ---- The three kinds */

static bool
parse_file (VendWeightSource *source, const char *rest, GError **error)
{
  while (g_str_has_prefix (rest, "./"))
    rest += 2;
  if (*rest == '\0' || strcmp (rest, ".") == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' names no file or folder", source->uri);
  source->kind = VEND_WEIGHTS_FILE;
  source->path = g_strdup (rest);
  if (g_str_has_prefix (source->uri, FILE_SCHEME))
    return true;
  g_free (source->uri);
  source->uri = g_strconcat (FILE_SCHEME, source->path, NULL);
  return true;
}

/* The last part of a URL's path, unescaped. */
static char *
file_name_of (const char *url)
{
  const char *path = strchr (strstr (url, "://") + 3, '/');
  g_autofree char *whole = path != NULL ? g_strndup (path, strcspn (path, "?#")) : g_strdup ("");
  const char *slash = strrchr (whole, '/');
  return g_uri_unescape_string (slash != NULL ? slash + 1 : "", "/");
}

static bool
parse_url (VendWeightSource *source, bool is_plain, GError **error)
{
  if (has_controls (source->uri) || strchr (source->uri, '#') != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is no URL", source->uri);
  if (is_plain && source->sha256 == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' can be changed on its way; use https, or give its sha256", source->uri);
  source->kind = VEND_WEIGHTS_URL;
  source->name = file_name_of (source->uri);
  if (source->name == NULL || !vend_weight_path_is_good (source->name))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' does not end in the name of a file",
                      source->uri);
  return true;
}

static bool
is_repo (const char *repo)
{
  g_auto (GStrv) parts = g_strsplit (repo, "/", -1);
  if (g_strv_length (parts) != 2)
    return false;
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      if (*parts[i] == '\0' || *parts[i] == '.' || *parts[i] == '-' || strlen (parts[i]) > 96)
        return false;
      for (const char *at = parts[i]; *at != '\0'; at++)
        if (!g_ascii_isalnum (*at) && strchr ("._-", *at) == NULL)
          return false;
    }
  return true;
}

static bool
is_revision (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("._-/", *at) == NULL)
      return false;
  return *text != '\0' && strlen (text) <= MAX_REVISION && strstr (text, "..") == NULL
         && *text != '/';
}

static bool
parse_hub (VendWeightSource *source, const char *rest, GError **error)
{
  const char *at = strchr (rest, '@');
  source->kind = VEND_WEIGHTS_HUB;
  source->repo = at != NULL ? g_strndup (rest, (gsize) (at - rest)) : g_strdup (rest);
  source->revision = g_strdup (at != NULL ? at + 1 : DEFAULT_REVISION);
  if (!is_repo (source->repo))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s': expected hf://OWNER/REPO@REVISION",
                      source->uri);
  if (!is_revision (source->revision))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s': expected a branch, tag or commit behind the '@'", source->uri);
  char *uri = vend_weight_source_pinned (source, source->revision);
  g_free (source->uri);
  source->uri = uri;
  return true;
}

static bool
parse_scheme (VendWeightSource *source, GError **error)
{
  const char *uri = source->uri;
  if (g_str_has_prefix (uri, FILE_SCHEME))
    return parse_file (source, uri + strlen (FILE_SCHEME), error);
  if (g_str_has_prefix (uri, HTTPS) || g_str_has_prefix (uri, HTTP))
    return parse_url (source, g_str_has_prefix (uri, HTTP), error);
  if (g_str_has_prefix (uri, HUB_SCHEME))
    return parse_hub (source, uri + strlen (HUB_SCHEME), error);
  /* A path, as Cog takes it. */
  if (*uri != '\0' && strstr (uri, "://") == NULL)
    return parse_file (source, uri, error);
  return vend_fail (error, VEND_ERROR_INVALID, "expected " VEND_WEIGHT_SOURCE_FORMS ", got '%s'",
                    uri);
}

static bool
check_extras (const VendWeightSource *source, GError **error)
{
  if (source->kind == VEND_WEIGHTS_URL
      && (source->include[0] != NULL || source->exclude[0] != NULL))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "include and exclude choose files of a folder, and '%s' is one file",
                      source->uri);
  if (source->kind != VEND_WEIGHTS_URL && source->sha256 != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "sha256 is for one file from https, and '%s' is none", source->uri);
  return true;
}

bool
vend_weight_source_parse (const char *uri, const char *sha256, const char *const *include,
                          const char *const *exclude, VendWeightSource **out, GError **error)
{
  g_autoptr (VendWeightSource) source = g_new0 (VendWeightSource, 1);
  source->uri = g_strdup (uri);
  source->include = include != NULL ? g_strdupv ((char **) include) : g_new0 (char *, 1);
  source->exclude = exclude != NULL ? g_strdupv ((char **) exclude) : g_new0 (char *, 1);
  if (strlen (uri) > MAX_URI || !g_utf8_validate (uri, -1, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "expected at most %d bytes of text", MAX_URI);
  if (sha256 != NULL)
    {
      source->sha256 = g_ascii_strdown (sha256, -1);
      if (!vend_is_sha256_hex (source->sha256))
        return vend_fail (error, VEND_ERROR_INVALID, "sha256: expected 64 hexadecimal digits");
    }
  if (!parse_scheme (source, error) || !check_extras (source, error))
    return false;
  *out = g_steal_pointer (&source);
  return true;
}

/* ---- What it gives */

/* Parts of a pattern against parts of a path; "**" stands for any number of them. */
static bool
match_parts (char *const *pattern, char *const *path, gsize n_path)
{
  if (*pattern == NULL)
    return n_path == 0;
  if (strcmp (*pattern, "**") == 0)
    return pattern[1] == NULL ? n_path > 0
                              : match_parts (pattern + 1, path, n_path)
                                    || (n_path > 0 && match_parts (pattern, path + 1, n_path - 1));
  return n_path > 0 && fnmatch (*pattern, *path, 0) == 0
         && match_parts (pattern + 1, path + 1, n_path - 1);
}

/* As in .gitignore: without a slash at any depth, with one from the top on, with one at the end for
 * folders; a folder stands for all that is in it. */
static bool
match (const char *pattern, char *const *path, gsize n_path)
{
  g_auto (GStrv) parts = g_strsplit (pattern[0] == '/' ? pattern + 1 : pattern, "/", -1);
  const gsize n = g_strv_length (parts);
  const bool is_folder = n > 1 && *parts[n - 1] == '\0';
  if (is_folder)
    g_clear_pointer (&parts[n - 1], g_free);
  const bool is_floating = pattern[0] != '/' && parts[0] != NULL && parts[1] == NULL;
  for (gsize depth = 1; depth <= n_path - is_folder; depth++)
    if (is_floating ? fnmatch (parts[0], path[depth - 1], 0) == 0
                    : match_parts (parts, path, depth))
      return true;
  return false;
}

/* The last that fits decides; one behind '!' takes back. */
static bool
matches (char *const *patterns, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  bool is_matched = false;
  for (gsize i = 0; patterns[i] != NULL; i++)
    {
      const bool takes_back = patterns[i][0] == '!';
      if (match (patterns[i] + takes_back, parts, g_strv_length (parts)))
        is_matched = !takes_back;
    }
  return is_matched;
}

bool
vend_weight_source_wants (const VendWeightSource *source, const char *path)
{
  return (source->include[0] == NULL || matches (source->include, path))
         && !matches (source->exclude, path);
}

static bool
is_commit (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isxdigit (*at) || g_ascii_isupper (*at))
      return false;
  return strlen (text) == COMMIT_LENGTH;
}

bool
vend_weight_source_moves (const VendWeightSource *source)
{
  return source->kind == VEND_WEIGHTS_HUB && !is_commit (source->revision);
}

char *
vend_weight_source_pinned (const VendWeightSource *source, const char *commit)
{
  if (source->kind != VEND_WEIGHTS_HUB)
    return g_strdup (source->uri);
  return g_strconcat (HUB_SCHEME, source->repo, "@", commit, NULL);
}

char *
vend_weight_source_file_url (const char *pinned, const char *endpoint, const char *path)
{
  g_autoptr (VendWeightSource) source = NULL;
  g_autoptr (GError) ignored = NULL;
  if (g_str_has_prefix (pinned, HTTPS) || g_str_has_prefix (pinned, HTTP))
    return g_strdup (pinned);
  if (!g_str_has_prefix (pinned, HUB_SCHEME)
      || !vend_weight_source_parse (pinned, NULL, NULL, NULL, &source, &ignored))
    return NULL;
  g_autofree char *revision = g_uri_escape_string (source->revision, NULL, FALSE);
  g_autofree char *escaped = g_uri_escape_string (path, UNESCAPED, FALSE);
  return g_strconcat (endpoint, "/", source->repo, "/resolve/", revision, "/", escaped, NULL);
}
