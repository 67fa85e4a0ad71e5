/* Typed reading of a YAML document: kinds, lines, unknown and repeated keys. Aliases are followed
 * where they stand and never copied, so that a small document cannot become a large one. */
#include "build/cog-yaml-private.h"
#include <string.h>

#define MAX_SHOWN_CHARACTERS 80
#define MAX_COMPARED 32
#define MERGE_KEY "<<"
#define MAX_MERGED 8
/* Nobody reads more, and a file of a megabyte can hold many. */
#define MAX_TEXTS 200

static void G_GNUC_PRINTF (4, 0)
    append (GPtrArray *list, const char *file, int line, const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);
  file = file != NULL ? file : "cog.yaml";
  if (list->len >= MAX_TEXTS)
    return;
  if (line > 0)
    g_ptr_array_add (list, g_strdup_printf ("%s:%d: %s", file, line, text));
  else
    g_ptr_array_add (list, g_strdup_printf ("%s: %s", file, text));
}

void
vend_yaml_problem (const VendYamlReport *report, int line, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  append (report->problems, report->file, line, format, args);
  va_end (args);
}

void
vend_yaml_warning (const VendYamlReport *report, int line, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  append (report->warnings, report->file, line, format, args);
  va_end (args);
}

char *
vend_yaml_shown (const char *text)
{
  GString *shown = g_string_new (NULL);
  int n = 0;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (n++ == MAX_SHOWN_CHARACTERS)
        {
          g_string_append (shown, "...");
          break;
        }
      if (c == '\n')
        g_string_append (shown, "\\n");
      else
        g_string_append_unichar (shown, g_unichar_isprint (c) ? c : 0xFFFD);
    }
  return g_string_free (shown, FALSE);
}

/* Aliases in the document; each node is visited once, so this is no work for many of them. */
static guint
count_aliases (struct fy_node *node)
{
  guint n = 0;
  void *at = NULL;
  if (fy_node_is_alias (node))
    return 1;
  if (fy_node_is_sequence (node))
    for (struct fy_node *item = fy_node_sequence_iterate (node, &at); item != NULL;
         item = fy_node_sequence_iterate (node, &at))
      n += count_aliases (item);
  if (fy_node_is_mapping (node))
    for (struct fy_node_pair *pair = fy_node_mapping_iterate (node, &at); pair != NULL;
         pair = fy_node_mapping_iterate (node, &at))
      n += count_aliases (fy_node_pair_key (pair)) + count_aliases (fy_node_pair_value (pair));
  return n;
}

/* Sloppy, as other parsers are: a closing bracket right under its key is common. */
static struct fy_document *
build_document (const char *text, gsize size, struct fy_diag *diag, const VendYamlReport *report)
{
  struct fy_parse_cfg config = {
    .flags
    = FYPCF_QUIET | FYPCF_JSON_NONE | FYPCF_SLOPPY_FLOW_INDENTATION | FYPCF_ALLOW_DUPLICATE_KEYS,
    .diag = diag,
  };
  struct fy_document *document = fy_document_build_from_string (&config, text, size);
  void *at = NULL;
  if (document != NULL)
    return document;
  struct fy_diag_error *first = fy_diag_errors_iterate (diag, &at);
  /* Nothing or only comments: no document, and no error either. */
  if (first == NULL)
    return fy_document_build_from_string (&config, "~", 1);
  g_autofree char *why = vend_yaml_shown (first->msg);
  vend_yaml_problem (report, first->line, "not valid YAML: %s", why);
  return NULL;
}

/* The parser would write to stderr; what matters is collected. */
static void
drop_output (struct fy_diag *diag, void *user, const char *text, size_t size)
{
}

struct fy_document *
vend_yaml_parse (const char *text, gsize size, const VendYamlReport *report)
{
  if (!g_utf8_validate (text, (gssize) size, NULL))
    {
      vend_yaml_problem (report, 0, "not valid YAML: not UTF-8 text");
      return NULL;
    }
  struct fy_diag_cfg diag_config;
  fy_diag_cfg_default (&diag_config);
  diag_config.fp = NULL;
  diag_config.output_fn = drop_output;
  struct fy_diag *diag = fy_diag_create (&diag_config);
  fy_diag_set_collect_errors (diag, true);
  struct fy_document *document = build_document (text, size, diag, report);
  fy_diag_destroy (diag);

  if (document != NULL && fy_document_root (document) != NULL
      && count_aliases (fy_document_root (document)) > VEND_COG_YAML_MAX_ALIASES)
    {
      vend_yaml_problem (report, 0, "more than %d aliases", VEND_COG_YAML_MAX_ALIASES);
      fy_document_destroy (document);
      return NULL;
    }
  return document;
}

bool
vend_yaml_has_second (const char *text, gsize size)
{
  const struct fy_parse_cfg config
      = { .flags = FYPCF_QUIET | FYPCF_JSON_NONE | FYPCF_SLOPPY_FLOW_INDENTATION
                   | FYPCF_ALLOW_DUPLICATE_KEYS };
  struct fy_parser *parser = fy_parser_create (&config);
  guint n = 0;
  if (parser == NULL)
    return false;
  if (fy_parser_set_string (parser, text, size) == 0)
    for (struct fy_document *document;
         n < 2 && (document = fy_parse_load_document (parser)) != NULL; n++)
      fy_parse_document_destroy (parser, document);
  const bool has_second = n == 2 || (n == 1 && fy_parser_get_stream_error (parser));
  fy_parser_destroy (parser);
  return has_second;
}

static char *
node_dup_text (struct fy_node *node)
{
  size_t size = 0;
  const char *text = fy_node_get_scalar (node, &size);
  return g_strndup (text != NULL ? text : "", size);
}

static bool
is_null (struct fy_node *node)
{
  static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
  if (node == NULL)
    return true;
  if (!fy_node_is_scalar (node) || fy_node_get_style (node) != FYNS_PLAIN)
    return false;
  g_autofree char *text = node_dup_text (node);
  return g_strv_contains (nulls, text);
}

/* Of the first text in `node`; the marks of maps and lists are those of what they hold. */
static int
line_of (struct fy_node *node)
{
  void *at = NULL;
  while (node != NULL && !fy_node_is_scalar (node))
    {
      at = NULL;
      if (fy_node_is_sequence (node))
        node = fy_node_sequence_iterate (node, &at);
      else
        {
          struct fy_node_pair *pair = fy_node_mapping_iterate (node, &at);
          node = pair != NULL ? fy_node_pair_key (pair) : NULL;
        }
    }
  struct fy_token *token = node != NULL ? fy_node_get_scalar_token (node) : NULL;
  const struct fy_mark *mark = token != NULL ? fy_token_start_mark (token) : NULL;
  return mark != NULL ? mark->line + 1 : 0;
}

/* An alias that leads nowhere counts as null: the parser lets it through. */
static VendYamlValue
make_value (struct fy_node *node, int line, const char *path)
{
  if (node != NULL && fy_node_is_alias (node))
    node = fy_node_resolve_alias (node);
  return (VendYamlValue){ .node = is_null (node) ? NULL : node, .line = line, .path = path };
}

VendYamlValue
vend_yaml_root (struct fy_document *document)
{
  struct fy_node *root = fy_document_root (document);
  return make_value (root, line_of (root), "");
}

static void
expected (VendYamlValue value, const VendYamlReport *report, const char *what)
{
  const char *where = value.path[0] != '\0' ? value.path : "the file";
  if (fy_node_is_scalar (value.node))
    {
      g_autofree char *text = node_dup_text (value.node);
      g_autofree char *shown = vend_yaml_shown (text);
      vend_yaml_problem (report, value.line, "%s: expected %s, got '%s'", where, what, shown);
    }
  else
    vend_yaml_problem (report, value.line, "%s: expected %s, got a %s", where, what,
                       fy_node_is_mapping (value.node) ? "map" : "list");
}

/* Changes, insertions and removals that make one word of the other. */
static guint
edit_distance (const char *a, const char *b)
{
  gsize size_a = strlen (a);
  gsize size_b = strlen (b);
  guint row[MAX_COMPARED + 1];
  if (size_a > MAX_COMPARED || size_b > MAX_COMPARED)
    return G_MAXUINT;
  for (gsize j = 0; j <= size_b; j++)
    row[j] = (guint) j;
  for (gsize i = 1; i <= size_a; i++)
    {
      guint diagonal = row[0];
      row[0] = (guint) i;
      for (gsize j = 1; j <= size_b; j++)
        {
          guint changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
          diagonal = row[j];
          row[j] = MIN (changed, MIN (row[j], row[j - 1]) + 1);
        }
    }
  return row[size_b];
}

static void
tell_unknown_key (VendYamlValue map, const char *key, int line, const char *const *keys,
                  const VendYamlReport *report)
{
  const char *nearest = NULL;
  guint distance = (guint) MIN (strlen (key) / 3, 2) + 2;
  for (gsize i = 0; keys[i] != NULL; i++)
    if (edit_distance (key, keys[i]) < distance)
      {
        nearest = keys[i];
        distance = edit_distance (key, keys[i]);
      }
  g_autofree char *shown = vend_yaml_shown (key);
  const char *dot = map.path[0] != '\0' ? "." : "";
  g_autofree char *advice
      = nearest != NULL ? g_strdup_printf ("; did you mean '%s'?", nearest) : g_strdup ("");
  if (report->is_strict)
    vend_yaml_problem (report, line, "%s%s%s: unknown key%s", map.path, dot, shown, advice);
  else
    vend_yaml_warning (report, line, "%s%s%s: unknown key, ignored%s", map.path, dot, shown,
                       advice);
}

/* What "<<" brings in: a map, or several in a list. */
static guint
merged_maps (struct fy_node *value, VendYamlValue *out, guint max)
{
  VendYamlValue merged = make_value (value, 0, "");
  void *at = NULL;
  guint n = 0;
  if (merged.node == NULL)
    return 0;
  if (!fy_node_is_sequence (merged.node))
    {
      out[0] = merged;
      return 1;
    }
  for (struct fy_node *item = fy_node_sequence_iterate (merged.node, &at); item != NULL && n < max;
       item = fy_node_sequence_iterate (merged.node, &at))
    out[n++] = make_value (item, 0, "");
  return n;
}

static void
check_merged (VendYamlValue map, struct fy_node *value, int line, const char *const *keys,
              const VendYamlReport *report)
{
  VendYamlValue maps[MAX_MERGED];
  const guint n = merged_maps (value, maps, MAX_MERGED);
  for (guint i = 0; i < n; i++)
    {
      void *at = NULL;
      if (maps[i].node == NULL || !fy_node_is_mapping (maps[i].node))
        {
          vend_yaml_problem (report, line, "%s%s<<: expected a map", map.path,
                             map.path[0] != '\0' ? "." : "");
          continue;
        }
      for (struct fy_node_pair *pair = fy_node_mapping_iterate (maps[i].node, &at); pair != NULL;
           pair = fy_node_mapping_iterate (maps[i].node, &at))
        {
          g_autofree char *key = node_dup_text (fy_node_pair_key (pair));
          if (strcmp (key, MERGE_KEY) == 0)
            vend_yaml_problem (report, line, "%s%s<<: a map that merges others cannot be merged",
                               map.path, map.path[0] != '\0' ? "." : "");
          else if (!g_strv_contains (keys, key))
            tell_unknown_key (map, key, line, keys, report);
        }
    }
}

bool
vend_yaml_check_keys (VendYamlValue map, const char *const *keys, const VendYamlReport *report)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  void *at = NULL;
  if (map.node == NULL)
    return true;
  if (!fy_node_is_mapping (map.node))
    {
      expected (map, report, "a map");
      return false;
    }
  for (struct fy_node_pair *pair = fy_node_mapping_iterate (map.node, &at); pair != NULL;
       pair = fy_node_mapping_iterate (map.node, &at))
    {
      struct fy_node *key_node = fy_node_pair_key (pair);
      int line = line_of (key_node);
      if (key_node == NULL || !fy_node_is_scalar (key_node) || fy_node_is_alias (key_node))
        {
          vend_yaml_problem (report, line, "%s: a key that is not plain text",
                             map.path[0] != '\0' ? map.path : "the file");
          continue;
        }
      g_autofree char *key = node_dup_text (key_node);
      g_autofree char *shown = vend_yaml_shown (key);
      if (strcmp (key, MERGE_KEY) == 0)
        check_merged (map, fy_node_pair_value (pair), line, keys, report);
      else if (!g_strv_contains (keys, key))
        tell_unknown_key (map, key, line, keys, report);
      if (!g_hash_table_add (seen, g_steal_pointer (&key)))
        vend_yaml_problem (report, line, "%s%s%s: duplicate key", map.path,
                           map.path[0] != '\0' ? "." : "", shown);
    }
  return true;
}

static struct fy_node_pair *
find_pair (struct fy_node *map, const char *key)
{
  void *at = NULL;
  if (map != NULL && fy_node_is_mapping (map))
    for (struct fy_node_pair *pair = fy_node_mapping_iterate (map, &at); pair != NULL;
         pair = fy_node_mapping_iterate (map, &at))
      {
        g_autofree char *text = node_dup_text (fy_node_pair_key (pair));
        if (strcmp (text, key) == 0)
          return pair;
      }
  return NULL;
}

VendYamlValue
vend_yaml_member (VendYamlValue map, const char *key, const char *path)
{
  struct fy_node_pair *pair = find_pair (map.node, key);
  struct fy_node_pair *merge = pair == NULL ? find_pair (map.node, MERGE_KEY) : NULL;
  VendYamlValue maps[MAX_MERGED];
  const guint n = merge != NULL ? merged_maps (fy_node_pair_value (merge), maps, MAX_MERGED) : 0;
  for (guint i = 0; pair == NULL && i < n; i++)
    pair = find_pair (maps[i].node, key);
  if (pair != NULL)
    return make_value (fy_node_pair_value (pair), line_of (fy_node_pair_key (pair)), path);
  return make_value (NULL, map.line, path);
}

char *
vend_yaml_dup_text (VendYamlValue value, const VendYamlReport *report)
{
  if (value.node == NULL)
    return NULL;
  if (!fy_node_is_scalar (value.node))
    {
      expected (value, report, "text");
      return NULL;
    }
  g_autofree char *text = node_dup_text (value.node);
  size_t size = 0;
  if (fy_node_get_scalar (value.node, &size) != NULL && strlen (text) != size)
    {
      vend_yaml_problem (report, value.line, "%s: has a NUL character", value.path);
      return NULL;
    }
  return g_steal_pointer (&text);
}

bool
vend_yaml_bool (VendYamlValue value, const VendYamlReport *report)
{
  static const char *const yes[] = { "true", "True", "TRUE", "yes", "on", NULL };
  static const char *const no[] = { "false", "False", "FALSE", "no", "off", NULL };
  if (value.node == NULL)
    return false;
  g_autofree char *text = fy_node_is_scalar (value.node) ? node_dup_text (value.node) : NULL;
  bool is_plain = text != NULL && fy_node_get_style (value.node) == FYNS_PLAIN;
  if (is_plain && g_strv_contains (yes, text))
    return true;
  if (!is_plain || !g_strv_contains (no, text))
    expected (value, report,
              text == NULL || is_plain ? "true or false" : "true or false without quotes");
  return false;
}

GArray *
vend_yaml_items (VendYamlValue value, const VendYamlReport *report)
{
  GArray *items = g_array_new (FALSE, FALSE, sizeof (VendYamlValue));
  void *at = NULL;
  if (value.node == NULL)
    return items;
  if (!fy_node_is_sequence (value.node))
    {
      expected (value, report, "a list");
      return items;
    }
  for (struct fy_node *node = fy_node_sequence_iterate (value.node, &at); node != NULL;
       node = fy_node_sequence_iterate (value.node, &at))
    {
      int line = line_of (node);
      VendYamlValue item = make_value (node, line > 0 ? line : value.line, value.path);
      if (items->len == VEND_COG_YAML_MAX_ITEMS)
        {
          vend_yaml_problem (report, item.line, "%s: more than %d items", value.path,
                             VEND_COG_YAML_MAX_ITEMS);
          break;
        }
      if (item.node == NULL)
        vend_yaml_problem (report, item.line, "%s: an empty item", value.path);
      else
        g_array_append_val (items, item);
    }
  return items;
}

/* ---- Any value */

static json_t *
scalar_json (VendYamlValue value, const char *text, VendYamlJson *json)
{
  return json->on_text != NULL ? json->on_text (text, value, json->data) : json_string (text);
}

/* YAML's other ways to write a number that JSON has: +1, 007, .5, 1., 0x1f, 0o17. */
static json_t *
odd_number (const char *text)
{
  const bool is_based = g_str_has_prefix (text, "0x") || g_str_has_prefix (text, "0o");
  const char *digits = is_based ? text + 2 : text;
  gint64 number = 0;
  if (g_ascii_string_to_signed (digits + (*text == '+'),
                                text[1] == 'x' ? 16
                                : is_based     ? 8
                                               : 10,
                                G_MININT64, G_MAXINT64, &number, NULL))
    return json_integer (number);
  return !is_based ? json_real (g_ascii_strtod (text, NULL)) : NULL;
}

/* NULL for a plain text that is no number; `*out_bad` when it is one that JSON cannot have. */
static json_t *
number_of (const char *text, bool *out_bad)
{
  static const char *const usual = "\\A-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?\\z";
  static const char *const odd
      = "\\A([-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+)\\z";
  static const char *const infinite = "\\A([-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN))\\z";
  json_t *number = NULL;
  *out_bad = false;
  if (strchr ("+-.0123456789", text[0]) == NULL)
    return NULL;
  if (g_regex_match_simple (usual, text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
    number = vend_json_number_parse (text, strlen (text));
  else if (g_regex_match_simple (odd, text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
    number = odd_number (text);
  else
    {
      *out_bad = g_regex_match_simple (infinite, text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
      return NULL;
    }
  *out_bad = number == NULL;
  return number;
}

static json_t *
plain_json (VendYamlValue value, const char *text, VendYamlJson *json)
{
  static const char *const yes[] = { "true", "True", "TRUE", NULL };
  static const char *const no[] = { "false", "False", "FALSE", NULL };
  bool is_bad = false;
  if (g_strv_contains (yes, text) || g_strv_contains (no, text))
    return json_boolean (g_strv_contains (yes, text));
  json_t *number = number_of (text, &is_bad);
  if (number != NULL)
    return number;
  if (!is_bad)
    return scalar_json (value, text, json);
  expected (value, json->report, "a number that JSON has");
  return NULL;
}

static json_t *json_of (struct fy_node *node, int line, const char *path, guint depth,
                        VendYamlJson *json);

/* A text or key that is named by many aliases is as many texts. */
static bool
count_text (const char *text, int line, const char *path, VendYamlJson *json)
{
  json->text_size += strlen (text);
  if (json->text_size <= VEND_YAML_MAX_TEXT)
    return true;
  vend_yaml_problem (json->report, line,
                     "%s: more than %" G_GSIZE_FORMAT " bytes of text in the "
                     "file, with what aliases stand for",
                     path, VEND_YAML_MAX_TEXT);
  return false;
}

static json_t *
list_json (VendYamlValue value, guint depth, VendYamlJson *json)
{
  json_auto_t *list = json_array ();
  void *at = NULL;
  for (struct fy_node *node = fy_node_sequence_iterate (value.node, &at); node != NULL;
       node = fy_node_sequence_iterate (value.node, &at))
    {
      const int line = line_of (node);
      g_autofree char *path = g_strdup_printf ("%s[%zu]", value.path, json_array_size (list));
      json_t *item = json_of (node, line > 0 ? line : value.line, path, depth + 1, json);
      if (item == NULL)
        return NULL;
      json_array_append_new (list, item);
    }
  return g_steal_pointer (&list);
}

static json_t *
map_json (VendYamlValue value, guint depth, VendYamlJson *json)
{
  json_auto_t *map = json_object ();
  void *at = NULL;
  for (struct fy_node_pair *pair = fy_node_mapping_iterate (value.node, &at); pair != NULL;
       pair = fy_node_mapping_iterate (value.node, &at))
    {
      struct fy_node *key_node = fy_node_pair_key (pair);
      const int line = line_of (key_node);
      if (key_node == NULL || !fy_node_is_scalar (key_node) || fy_node_is_alias (key_node))
        {
          vend_yaml_problem (json->report, line, "%s: a key that is not plain text", value.path);
          return NULL;
        }
      g_autofree char *key = node_dup_text (key_node);
      g_autofree char *shown = vend_yaml_shown (key);
      g_autofree char *path = g_strdup_printf ("%s.%s", value.path, shown);
      if (!count_text (key, line, path, json))
        return NULL;
      const char *trouble = strcmp (key, MERGE_KEY) == 0           ? "maps cannot be merged here"
                            : json_object_get (map, key) != NULL   ? "duplicate key"
                            : g_strcmp0 (key, json->reserved) == 0 ? "this key is not possible"
                                                                   : NULL;
      if (trouble != NULL)
        {
          vend_yaml_problem (json->report, line, "%s: %s", path, trouble);
          return NULL;
        }
      json_t *member = json_of (fy_node_pair_value (pair), line, path, depth + 1, json);
      if (member == NULL)
        return NULL;
      json_object_set_new (map, key, member);
    }
  return g_steal_pointer (&map);
}

/* Aliases are copied where they stand, so the number of values has a limit of its own. */
static json_t *
json_of (struct fy_node *node, int line, const char *path, guint depth, VendYamlJson *json)
{
  const VendYamlValue value = make_value (node, line, path);
  if (++json->n_values > VEND_YAML_MAX_VALUES || depth > VEND_YAML_MAX_DEPTH)
    {
      vend_yaml_problem (json->report, line,
                         depth > VEND_YAML_MAX_DEPTH ? "%s: nested deeper than %d levels"
                                                     : "%s: more than %d values in the file",
                         path,
                         depth > VEND_YAML_MAX_DEPTH ? VEND_YAML_MAX_DEPTH : VEND_YAML_MAX_VALUES);
      return NULL;
    }
  if (value.node == NULL)
    return json_null ();
  size_t size = 0;
  if (fy_node_get_tag (value.node, &size) != NULL)
    {
      vend_yaml_problem (json->report, line, "%s: tags (!…) are not read", path);
      return NULL;
    }
  if (fy_node_is_mapping (value.node))
    return map_json (value, depth, json);
  if (fy_node_is_sequence (value.node))
    return list_json (value, depth, json);
  g_autofree char *text = vend_yaml_dup_text (value, json->report);
  if (text == NULL || !count_text (text, line, path, json))
    return NULL;
  return fy_node_get_style (value.node) == FYNS_PLAIN ? plain_json (value, text, json)
                                                      : scalar_json (value, text, json);
}

json_t *
vend_yaml_json (VendYamlValue value, VendYamlJson *json)
{
  return json_of (value.node, value.line, value.path, 0, json);
}
