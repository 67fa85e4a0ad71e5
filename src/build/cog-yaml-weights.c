/* cog.yaml: the list of managed weights. Pure. */
#include "build/cog-yaml-private.h"
#include "model/weight-set.h"
#include <string.h>

#define PROJECT_IN_IMAGE "/src/"

static void
weights_free (void *data)
{
  VendCogWeights *weights = data;
  g_free (weights->name);
  g_free (weights->target);
  vend_weight_source_free (weights->source);
  g_free (weights);
}

static char **
read_patterns (VendYamlValue list, const VendYamlReport *report)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) items = vend_yaml_items (list, report);
  for (guint i = 0; i < items->len; i++)
    {
      char *text = vend_yaml_dup_text (g_array_index (items, VendYamlValue, i), report);
      if (text != NULL)
        g_ptr_array_add (texts, text);
    }
  g_ptr_array_add (texts, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

static VendWeightSource *
read_source (VendYamlValue value, const VendYamlReport *report)
{
  static const char *const keys[] = { "uri", "include", "exclude", "sha256", NULL };
  const bool is_map = value.node != NULL && fy_node_is_mapping (value.node);
  VendWeightSource *source = NULL;
  g_autoptr (GError) error = NULL;
  if (is_map && !vend_yaml_check_keys (value, keys, report))
    return NULL;
  const VendYamlValue none = { .path = "weights.source" };
  const VendYamlValue at = is_map ? vend_yaml_member (value, "uri", "weights.source.uri") : value;
  g_autofree char *uri = vend_yaml_dup_text (at, report);
  g_autofree char *sha256 = vend_yaml_dup_text (
      is_map ? vend_yaml_member (value, "sha256", "weights.source.sha256") : none, report);
  g_auto (GStrv) include = read_patterns (
      is_map ? vend_yaml_member (value, "include", "weights.source.include") : none, report);
  g_auto (GStrv) exclude = read_patterns (
      is_map ? vend_yaml_member (value, "exclude", "weights.source.exclude") : none, report);
  if (uri == NULL)
    {
      if (at.node == NULL)
        vend_yaml_problem (report, value.line, "%s: missing; expected " VEND_WEIGHT_SOURCE_FORMS,
                           is_map ? "weights.source.uri" : "weights.source");
      return NULL;
    }
  if (!vend_weight_source_parse (uri, sha256, (const char *const *) include,
                                 (const char *const *) exclude, &source, &error))
    {
      g_autofree char *shown = vend_yaml_shown (error->message);
      vend_yaml_problem (report, at.line != 0 ? at.line : value.line, "weights.source: %s", shown);
    }
  return source;
}

/* Below the project, which is /src in an image of Cog. */
static char *
read_target (VendYamlValue item, const VendYamlReport *report)
{
  VendYamlValue value = vend_yaml_member (item, "target", "weights.target");
  g_autofree char *text = vend_yaml_dup_text (value, report);
  const char *path = text;
  if (text == NULL)
    {
      if (value.node == NULL)
        vend_yaml_problem (report, item.line,
                           "weights.target: missing; expected a folder, like '/src/weights'");
      return NULL;
    }
  if (g_str_has_prefix (path, PROJECT_IN_IMAGE))
    path += strlen (PROJECT_IN_IMAGE);
  while (g_str_has_prefix (path, "./"))
    path += 2;
  g_autofree char *plain = g_strdup (path);
  const gsize length = strlen (plain);
  if (length > 0 && plain[length - 1] == '/')
    plain[length - 1] = '\0';
  if (vend_weight_path_is_good (plain) && *plain != '/'
      && !vend_weight_paths_overlap (plain, ".vend") && !vend_weight_paths_overlap (plain, ".cog"))
    return g_steal_pointer (&plain);
  g_autofree char *shown = vend_yaml_shown (text);
  vend_yaml_problem (report, value.line,
                     "weights.target: expected a folder below the project, like '/src/weights' or "
                     "'weights', got '%s'",
                     shown);
  return NULL;
}

static char *
read_name (VendYamlValue item, const VendYamlReport *report)
{
  VendYamlValue value = vend_yaml_member (item, "name", "weights.name");
  g_autofree char *name = vend_yaml_dup_text (value, report);
  if (name != NULL && vend_weight_name_is_good (name))
    return g_steal_pointer (&name);
  g_autofree char *shown = vend_yaml_shown (name != NULL ? name : "");
  if (name != NULL || value.node == NULL)
    vend_yaml_problem (report, value.line != 0 ? value.line : item.line,
                       "weights.name: expected 1 to 64 letters, digits, '.', '_' or '-', got '%s'",
                       shown);
  return NULL;
}

static void
check_others (const GPtrArray *all, const VendCogWeights *weights, int line,
              const VendYamlReport *report)
{
  for (guint i = 0; i < all->len; i++)
    {
      const VendCogWeights *other = g_ptr_array_index (all, i);
      if (strcmp (other->name, weights->name) == 0)
        vend_yaml_problem (report, line, "weights.name: '%s' is there twice", weights->name);
      if (vend_weight_paths_overlap (other->target, weights->target))
        vend_yaml_problem (report, line,
                           "weights.target: '%s' and '%s' overlap; give each a folder of its own",
                           other->target, weights->target);
    }
}

GPtrArray *
vend_cog_weights_read (VendYamlValue list, const VendYamlReport *report)
{
  static const char *const keys[] = { "name", "target", "source", NULL };
  GPtrArray *all = g_ptr_array_new_with_free_func (weights_free);
  g_autoptr (GArray) items = vend_yaml_items (list, report);
  if (items->len > VEND_WEIGHT_SETS_MAX)
    {
      vend_yaml_problem (report, list.line, "weights: expected at most %d, got %u",
                         VEND_WEIGHT_SETS_MAX, items->len);
      return all;
    }
  for (guint i = 0; i < items->len; i++)
    {
      const VendYamlValue item = g_array_index (items, VendYamlValue, i);
      if (!vend_yaml_check_keys (item, keys, report))
        continue;
      g_autofree char *name = read_name (item, report);
      g_autofree char *target = read_target (item, report);
      VendYamlValue source_value = vend_yaml_member (item, "source", "weights.source");
      if (source_value.line == 0)
        source_value.line = item.line;
      g_autoptr (VendWeightSource) source = read_source (source_value, report);
      if (name == NULL || target == NULL || source == NULL)
        continue;
      VendCogWeights *weights = g_new0 (VendCogWeights, 1);
      weights->name = g_steal_pointer (&name);
      weights->target = g_steal_pointer (&target);
      weights->source = g_steal_pointer (&source);
      check_others (all, weights, item.line, report);
      g_ptr_array_add (all, weights);
    }
  return all;
}
