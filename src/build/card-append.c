/* Adds saved runs to a vend.yaml, as text. JSON is YAML, so values are written as JSON on a line.
 */
#include "build/card-append.h"
#include "base/error.h"
#include "build/card.h"
#include "build/cog-yaml-private.h"
#include <string.h>

#define KEY "examples"

/* ---- The new item */

static char *
key_text (const char *key)
{
  static const char *const words[]
      = { "null", "true", "false", "yes", "no", "on", "off", "y", "n", NULL };
  g_autofree char *lower = g_ascii_strdown (key, -1);
  if (g_regex_match_simple ("\\A[A-Za-z_][A-Za-z0-9_]*\\z", key, G_REGEX_DEFAULT,
                            G_REGEX_MATCH_DEFAULT)
      && !g_strv_contains (words, lower))
    return g_strdup (key);
  json_auto_t *quoted = json_string (key);
  return vend_json_text (quoted);
}

static void
add_member (GString *item, const char *indent, const char *key, const json_t *value)
{
  g_autofree char *name = key_text (key);
  g_autofree char *text = vend_json_text (value);
  g_string_append_printf (item, "%s%s: %s\n", indent, name, text);
}

static char *
item_text (const json_t *example, const char *indent)
{
  g_autoptr (GString) item = g_string_new (NULL);
  g_autofree char *inner = g_strconcat (indent, "  ", NULL);
  g_autofree char *deep = g_strconcat (indent, "    ", NULL);
  const json_t *input = json_object_get (example, "input");
  static const char *const others[] = { "output", "logs", "metrics" };
  const char *key;
  json_t *value;
  g_string_append_printf (item, "%s- input:%s\n", indent,
                          json_object_size (input) > 0 ? "" : " {}");
  json_object_foreach ((json_t *) input, key, value)
    add_member (item, deep, key, value);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (json_object_get (example, others[i]) != NULL)
      add_member (item, inner, others[i], json_object_get (example, others[i]));
  return g_string_free (g_steal_pointer (&item), FALSE);
}

/* ---- Its place */

static bool
is_blank_or_comment (const char *line)
{
  return line[strspn (line, " \t\r")] == '\0' || line[0] == '#';
}

/* Where the list ends: the lines above the next key of the file, without those that belong to that
 * key. Lines count from 0. */
static guint
end_of_list (struct fy_node *root, int key_line, char **lines, guint n_lines)
{
  guint end = n_lines;
  void *at = NULL;
  for (struct fy_node_pair *pair = fy_node_mapping_iterate (root, &at); pair != NULL;
       pair = fy_node_mapping_iterate (root, &at))
    {
      struct fy_token *token = fy_node_get_scalar_token (fy_node_pair_key (pair));
      const struct fy_mark *mark = token != NULL ? fy_token_start_mark (token) : NULL;
      if (mark != NULL && mark->line > key_line && (guint) mark->line < end)
        end = (guint) mark->line;
    }
  if (end < n_lines)
    while (end > (guint) key_line + 1 && is_blank_or_comment (lines[end - 1]))
      end--;
  return end;
}

/* The indentation of the list's first item; NULL when it is not on a line of its own. */
static char *
indent_of (char **lines, guint from, guint to)
{
  for (guint i = from; i < to; i++)
    {
      const gsize blanks = strspn (lines[i], " ");
      if (lines[i][blanks] == '\0' || lines[i][blanks] == '\r' || lines[i][blanks] == '#')
        continue;
      return lines[i][blanks] == '-' ? g_strndup (lines[i], blanks) : NULL;
    }
  return g_strdup ("  ");
}

static char *
with_line_end (const char *text)
{
  return text[0] == '\0' || g_str_has_suffix (text, "\n") ? g_strdup (text)
                                                          : g_strconcat (text, "\n", NULL);
}

/* NULL when the list has another form. */
static char *
add_to_list (const char *text, struct fy_node *root, VendYamlValue list, const json_t *example)
{
  g_autofree char *whole = with_line_end (text);
  g_auto (GStrv) lines = g_strsplit (whole, "\n", -1);
  const guint n_lines = g_strv_length (lines) - 1; /* the last one is empty */
  const guint key_line = (guint) list.line - 1;
  if (list.line < 1 || key_line >= n_lines)
    return NULL;
  const guint end = end_of_list (root, (int) key_line, lines, n_lines);
  /* An empty list may stand behind the key. */
  if (g_regex_match_simple ("\\A" KEY "\\s*:\\s*(\\[\\s*\\]|~|null)\\s*(#.*)?\\z", lines[key_line],
                            G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
    {
      g_free (lines[key_line]);
      lines[key_line] = g_strdup (KEY ":");
    }
  else if (!g_regex_match_simple ("\\A" KEY "\\s*:\\s*(#.*)?\\z", lines[key_line], G_REGEX_DEFAULT,
                                  G_REGEX_MATCH_DEFAULT))
    return NULL;
  g_autofree char *indent = indent_of (lines, key_line + 1, end);
  if (indent == NULL)
    return NULL;
  g_autofree char *item = item_text (example, indent);
  g_autoptr (GString) made = g_string_new (NULL);
  for (guint i = 0; i < n_lines; i++)
    {
      if (i == end)
        g_string_append (made, item);
      g_string_append_printf (made, "%s\n", lines[i]);
    }
  if (end == n_lines)
    g_string_append (made, item);
  return g_string_free (g_steal_pointer (&made), FALSE);
}

static char *
add (const char *text, struct fy_document *document, const json_t *example)
{
  VendYamlValue root = vend_yaml_root (document);
  if (root.node != NULL && !fy_node_is_mapping (root.node))
    return NULL;
  VendYamlValue list = vend_yaml_member (root, KEY, KEY);
  bool has_key = false;
  void *at = NULL;
  for (struct fy_node_pair *pair
       = root.node != NULL ? fy_node_mapping_iterate (root.node, &at) : NULL;
       pair != NULL; pair = fy_node_mapping_iterate (root.node, &at))
    {
      size_t size = 0;
      const char *key = fy_node_get_scalar (fy_node_pair_key (pair), &size);
      has_key = has_key || (key != NULL && size == strlen (KEY) && strncmp (key, KEY, size) == 0);
    }
  if (has_key)
    return add_to_list (text, root.node, list, example);
  g_autofree char *whole = with_line_end (text);
  g_autofree char *item = item_text (example, "  ");
  return g_strdup_printf ("%s%s" KEY ":\n%s", whole, whole[0] != '\0' ? "\n" : "", item);
}

/* ---- Whether it is what it should be */

/* The examples of a text, as they are written; NULL when there are none or it cannot be read. */
static json_t *
examples_of (const char *text, GPtrArray *problems)
{
  const VendYamlReport report
      = { .problems = problems, .warnings = problems, .file = VEND_CARD_YAML };
  VendYamlJson json = { .report = &report };
  struct fy_document *document = vend_yaml_parse (text, strlen (text), &report);
  if (document == NULL)
    return NULL;
  VendYamlValue list = vend_yaml_member (vend_yaml_root (document), KEY, KEY);
  json_t *examples = list.node != NULL ? vend_yaml_json (list, &json) : NULL;
  fy_document_destroy (document);
  return examples;
}

static bool
is_right (const char *before, const char *after, const json_t *example)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  json_auto_t *expected = examples_of (before, problems);
  json_auto_t *made = examples_of (after, problems);
  json_auto_t *item = json_copy ((json_t *) example);
  if (expected == NULL)
    expected = json_array ();
  json_array_append (expected, item);
  return problems->len == 0 && made != NULL && json_equal (expected, made);
}

bool
vend_card_append_example (const char *text, const json_t *example, char **out, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  const VendYamlReport report
      = { .problems = problems, .warnings = problems, .file = VEND_CARD_YAML };
  struct fy_document *document = vend_yaml_parse (text, strlen (text), &report);
  if (document == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "%s",
                      (const char *) g_ptr_array_index (problems, 0));
  g_autofree char *made
      = vend_yaml_has_second (text, strlen (text)) ? NULL : add (text, document, example);
  fy_document_destroy (document);
  if (made == NULL || !is_right (text, made, example))
    return vend_fail (error, VEND_ERROR_INVALID,
                      VEND_CARD_YAML ": cannot add an example to the file as it is written; write "
                                     "'" KEY ":' and each '- input:' on a line of its own");
  *out = g_steal_pointer (&made);
  return true;
}
