/* The spec of a director: from a version's launch record to what the runner is given. Pure, unless
 * a function says otherwise. */
#pragma once
#include "sched/instance/instance.h"

json_t *vend_instance_spec (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* How an image is started, as it says itself. Blocks on disk. Nothing for other versions. */
bool vend_instance_spec_add_image (const Instance *instance, json_t *spec, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The environment of the model's process, for every kind of start; strings. */
json_t *vend_instance_environment (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* The file of that name beside the source. Free with g_free. */
char *vend_instance_source (const Instance *instance, const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* Puts the weights of its version where its environment says. Blocks on disk. */
bool vend_instance_place_weights (const Instance *instance, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Its managed weights, of VendWeightSet. */
GPtrArray *vend_instance_weight_sets (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* Links into its working copy, see workspace.h. Free with g_strfreev. */
char **vend_instance_links (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* The Python of the instance. Free with g_free. */
char *vend_instance_python (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;

/* The target in a spec that the runner has kept; borrowed. */
const json_t *vend_instance_spec_target (const json_t *spec);
