/* Managed weights of a version: named sets of files, each below a folder of the working copy. Plain
 * values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

#define VEND_WEIGHT_SETS_MAX 64           /* of a version */
#define VEND_WEIGHT_FILES_MAX 10000       /* of a set */
#define VEND_WEIGHT_PATH_MAX 1024         /* bytes of a path */
#define VEND_LAUNCH_WEIGHTS "weight_sets" /* member of a launch record */

typedef struct
{
  char *path; /* below the target */
  int64_t size;
  char *sha256;
} VendWeightFile;

typedef struct
{
  char *name;
  char *target;     /* below the working copy */
  char *source;     /* where it came from, with its revision: "hf://owner/repo@<commit>" */
  bool can_fetch;   /* and can come from again */
  bool any_host;    /* the source may have any address */
  char *digest;     /* of paths and contents, as `sha256sum` lists them */
  int64_t size;     /* of all files */
  GPtrArray *files; /* of VendWeightFile, by path */
} VendWeightSet;

VendWeightSet *vend_weight_set_new (void) G_GNUC_WARN_UNUSED_RESULT;
void vend_weight_set_free (VendWeightSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWeightSet, vend_weight_set_free)

void vend_weight_set_add (VendWeightSet *set, const char *path, int64_t size, const char *sha256);
/* Sorts the files, and sets digest and size. */
void vend_weight_set_seal (VendWeightSet *set);

json_t *vend_weight_set_to_json (const VendWeightSet *set) G_GNUC_WARN_UNUSED_RESULT;
/* Of untrusted JSON; INVALID unless everything is there, fits together and stays below its target.
 */
bool vend_weight_set_from_json (const json_t *object, VendWeightSet **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Of VendWeightSet, those in a launch record; what is wrong there is left out. */
GPtrArray *vend_weight_sets_of_launch (const json_t *launch) G_GNUC_WARN_UNUSED_RESULT;
/* For the id of a version: names, targets and digests, by name. NULL for none. */
json_t *vend_weight_sets_content (const GPtrArray *sets) G_GNUC_WARN_UNUSED_RESULT;

/* Relative, without "." and "..", empty parts, backslashes and control characters. */
bool vend_weight_path_is_good (const char *path);
/* Letters, digits, '.', '_' and '-', the first no sign; at most 64. */
bool vend_weight_name_is_good (const char *name);
/* Whether one is the other, or lies in it. */
bool vend_weight_paths_overlap (const char *a, const char *b);
