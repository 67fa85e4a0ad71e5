/* Ids of stored predictions that have not ended, for threads other than the core's: whose state is
 * in memory, so that a request need not read the store. A hint: the prediction may end at once. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct VendOpenIds VendOpenIds;

VendOpenIds *vend_open_ids_new (void);
void vend_open_ids_free (VendOpenIds *ids);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOpenIds, vend_open_ids_free)

/* Any thread. Adding twice and removing what is not there do nothing. */
void vend_open_ids_add (VendOpenIds *ids, const char *id);
void vend_open_ids_remove (VendOpenIds *ids, const char *id);
bool vend_open_ids_has (VendOpenIds *ids, const char *id);
