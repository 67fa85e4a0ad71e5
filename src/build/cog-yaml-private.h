/* Typed reading of a YAML document for cog-yaml.c and card.c: every mistake becomes a line in a
 * list. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <libfyaml.h>

#include "build/cog-yaml.h"
#include "json/json.h"

#define VEND_COG_YAML_MAX_ALIASES 64
#define VEND_COG_YAML_MAX_ITEMS 4096
#define VEND_YAML_MAX_VALUES 100000
#define VEND_YAML_MAX_DEPTH 128
#define VEND_YAML_MAX_TEXT ((gsize) 4 << 20) /* of all values together, aliases followed */

/* Where texts go; both lists are the caller's. */
typedef struct
{
  GPtrArray *problems;
  GPtrArray *warnings;
  const char *file; /* for texts; NULL = "cog.yaml" */
  bool for_image;   /* commands run in an image */
  bool is_strict;   /* an unknown key is a problem, not a warning */
} VendYamlReport;

/* A value and where it is. `node` is NULL when there is none or it is null; aliases are followed.
 */
typedef struct
{
  struct fy_node *node;
  int line;         /* of the key or item; 0 = not known */
  const char *path; /* "build.gpu", for texts */
} VendYamlValue;

void vend_yaml_problem (const VendYamlReport *report, int line, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
void vend_yaml_warning (const VendYamlReport *report, int line, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* NULL, with a problem, when it cannot be parsed. Free with fy_document_destroy. */
struct fy_document *vend_yaml_parse (const char *text, gsize size, const VendYamlReport *report)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether a second document follows, behind a line "---", of a text that can be parsed. */
bool vend_yaml_has_second (const char *text, gsize size);
VendYamlValue vend_yaml_root (struct fy_document *document);

/* Complains when `map` is no map, has a key twice or one that is not in `keys`. */
bool vend_yaml_check_keys (VendYamlValue map, const char *const *keys,
                           const VendYamlReport *report);
/* The member `key`, whose path is `path`; of no map there is none. */
VendYamlValue vend_yaml_member (VendYamlValue map, const char *key, const char *path);

/* These take a value without a node as absent: NULL, false, and no complaint. */
char *vend_yaml_dup_text (VendYamlValue value, const VendYamlReport *report)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_yaml_bool (VendYamlValue value, const VendYamlReport *report);
/* Of VendYamlValue, each with its own line and the path of the list. */
GArray *vend_yaml_items (VendYamlValue value, const VendYamlReport *report)
    G_GNUC_WARN_UNUSED_RESULT;

/* Any value as JSON, by YAML's core schema. NULL, with problems, when JSON has no such value, or it
 * is deeper or larger than a limit. */
typedef struct
{
  const VendYamlReport *report;
  /* The value in the place of a text; NULL after a problem. Without it texts stay texts. */
  json_t *(*on_text) (const char *text, VendYamlValue where, void *data);
  void *data;
  const char *reserved; /* a key that no map may have, or NULL */
  /* So far; 0 at first. Shared by all values of a document. */
  guint n_values;
  gsize text_size;
} VendYamlJson;
json_t *vend_yaml_json (VendYamlValue value, VendYamlJson *json) G_GNUC_WARN_UNUSED_RESULT;

/* Why `path` cannot be used as a file of the project; NULL when it can, and then `*out_inside` (may
 * be NULL) is its path below `dir`, without links. Free both with g_free. ---- cog-yaml.c */
char *vend_project_file_trouble (const char *dir, const char *path, char **out_inside)
    G_GNUC_WARN_UNUSED_RESULT;

/* `text` fit for a message: short, and without what would upset a terminal. Free with g_free. */
char *vend_yaml_shown (const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* vend_cog_yaml_load of a file that is in memory. ---- cog-yaml.c */
VendCogYaml *vend_cog_yaml_read (const char *project_dir, const char *text, gsize size,
                                 GPtrArray *problems, GPtrArray *warnings)
    G_GNUC_WARN_UNUSED_RESULT;

/* The list `weights`, of VendCogWeights. Looks at no files: a builder gets those of "file://" by
 * another way. ---- cog-yaml-weights.c */
GPtrArray *vend_cog_weights_read (VendYamlValue list, const VendYamlReport *report)
    G_GNUC_WARN_UNUSED_RESULT;
