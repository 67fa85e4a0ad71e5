/* Folders of the control plane's data directory that an agent keeps: sources, environments,
 * weights. Each is there whole, under its path there, or not at all. Any thread; blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "machines/exchange.h"

typedef struct VendNodeCache VendNodeCache;

/* Removes what a kill has left. */
bool vend_node_cache_open (const char *data_dir, uint64_t max, VendNodeCache **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_node_cache_free (VendNodeCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendNodeCache, vend_node_cache_free)

/* Fetches the folder unless it is there, one at a time. */
bool vend_node_cache_bring (VendNodeCache *cache, const VendDialer *dialer, const char *tree,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the longest unused folders until all are within the limit; none that `specs` names. */
void vend_node_cache_trim (VendNodeCache *cache, const char *specs);
