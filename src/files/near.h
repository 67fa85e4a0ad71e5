/* Copies of a depot's contents on this machine, since models, builds and the kernel read files:
 * a bounded folder that keeps what was used last. Any thread but the core thread; blocks on disk
 * and on the depot. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/depot.h"

typedef struct VendNear VendNear;

/* Any thread that makes a copy. */
typedef bool (*VendNearRule) (const char *sha256, void *data);

typedef struct
{
  const char *dir;
  const char *spool; /* for copies on their way, on the same file system */
  uint64_t max;      /* bytes that stay; 0 = no limit. Copies that must stay, and those with another
                        name, go beyond it */
  VendNearRule is_held;   /* whether the copy must stay now; does not block */
  VendNearRule is_needed; /* whether it must stay, as the store says */
  void *data;
} VendNearOptions;

/* Looks at what is in the folder. */
bool vend_near_new (const VendNearOptions *options, VendNear **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_near_free (VendNear *near);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendNear, vend_near_free)

bool vend_near_has (VendNear *near, const char *sha256);
/* Makes a copy unless it is there, and compares its checksum. A copy that is brought already is
 * waited for. NOT_FOUND when the depot has no such content. */
bool vend_near_bring (VendNear *near, VendDepot *depot, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* As put of a depot. */
bool vend_near_add (VendNear *near, const char *path, const char *sha256, VendDepotHow how,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_near_remove (VendNear *near, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
