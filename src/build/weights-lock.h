/* Cog's weights.lock: what the managed weights of cog.yaml were when they were imported. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "model/weight-set.h"
#include "weights/source.h"

#define VEND_WEIGHTS_LOCK "weights.lock"

/* The file of a project; `*out` is NULL where there is none. INVALID says what is wrong with it. */
bool vend_weights_lock_load (const char *project_dir, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The source as it is pinned: that of a hub at its commit, others as they are. `lock` may be NULL.
 * INVALID when it is another source. */
bool vend_weights_lock_pin (const json_t *lock, const char *name, const VendWeightSource *source,
                            VendWeightSource **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* INVALID names the first file that is another one than it pins. `*out_pinned`: it has the set. */
bool vend_weights_lock_check (const json_t *lock, const VendWeightSet *set, bool *out_pinned,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
