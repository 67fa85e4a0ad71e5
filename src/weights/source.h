/* Where managed weights come from, as cog.yaml says it. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_WEIGHT_SOURCE_FORMS \
  "'file://FOLDER', 'https://HOST/FILE' or 'hf://OWNER/REPO@REVISION'"

typedef enum
{
  VEND_WEIGHTS_FILE, /* of the machine that pushes; travels with the project */
  VEND_WEIGHTS_URL,
  VEND_WEIGHTS_HUB,
} VendWeightSourceKind;

typedef struct
{
  VendWeightSourceKind kind;
  char *uri;      /* with its scheme, a hub's with its revision */
  char *path;     /* of a file or folder: absolute, or below the project */
  char *name;     /* of a URL: of its file */
  char *repo;     /* of a hub: "owner/name" */
  char *revision; /* of a hub; "main" when none is written */
  char *sha256;   /* of a URL's file; or NULL */
  char **include; /* patterns of paths; none: all. Never NULL, as the next */
  char **exclude;
} VendWeightSource;

/* INVALID says what is expected. `sha256` may be NULL; the lists are copied, NULL is an empty one.
 */
bool vend_weight_source_parse (const char *uri, const char *sha256, const char *const *include,
                               const char *const *exclude, VendWeightSource **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_weight_source_free (VendWeightSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWeightSource, vend_weight_source_free)

/* Whether a path of a folder or hub is wanted; patterns are those of .gitignore, as with Cog. */
bool vend_weight_source_wants (const VendWeightSource *source, const char *path);
/* Whether what it names may be something else tomorrow. */
bool vend_weight_source_moves (const VendWeightSource *source);
/* The same source at a commit, for a record: "hf://owner/repo@<commit>". Free with g_free. */
char *vend_weight_source_pinned (const VendWeightSource *source, const char *commit)
    G_GNUC_WARN_UNUSED_RESULT;
/* The URL of a file of a recorded source. NULL: it has none. Free with g_free. */
char *vend_weight_source_file_url (const char *pinned, const char *endpoint, const char *path)
    G_GNUC_WARN_UNUSED_RESULT;
