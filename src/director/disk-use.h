/* How much the files of an instance take: looked at by a thread every few seconds, since there is
 * no quota for a folder. Main context. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct VendDiskUse VendDiskUse;
/* Once; must not free it. */
typedef void (*VendDiskUseOver) (void *context);

/* `folders` (NULL-terminated, copied) may be missing. What lies there at the first look is not
 * counted. */
VendDiskUse *vend_disk_use_new (const char *const *folders, uint64_t limit, VendDiskUseOver over,
                                void *context);
/* Before the first look: what lies there then is counted, too. */
void vend_disk_use_count_all (VendDiskUse *use);
void vend_disk_use_free (VendDiskUse *use);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDiskUse, vend_disk_use_free)

/* Looks again, unless the last look is not over or took so long that it would take a share of a
 * processor. */
void vend_disk_use_look (VendDiskUse *use);
