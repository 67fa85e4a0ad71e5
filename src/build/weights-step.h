/* The managed weights of a build: fetched, checked, and shown to the model. Blocks. */
#pragma once
#include "build/build-private.h"
#include "build/cog-yaml.h"
#include "model/weight-set.h"

/* In a packed source: the files of "file://", a folder for each name. */
#define VEND_PUSHED_ROOT ".vend"
#define VEND_PUSHED_WEIGHTS VEND_PUSHED_ROOT "/weights"

/* Takes pushed weights out of the tree, which is then the project. */
bool vend_build_weights_set_aside (const VendBuildContext *context, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* `*out_sets` is of VendWeightSet; their files that the store lacks lie in the spec's folder. */
bool vend_build_weights_fetch (const VendBuildContext *context, const VendCogYaml *yaml,
                               GPtrArray **out_sets, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of an archive, which brought `sets` and their files: they must be those of cog.yaml. */
bool vend_build_weights_of_archive (const VendBuildContext *context, const VendCogYaml *yaml,
                                    const GPtrArray *sets, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Trees for a start of the model, as links of a workspace. Free with g_strfreev. */
bool vend_build_weights_lay_out (const VendBuildContext *context, const GPtrArray *sets,
                                 char ***out_links, GError **error) G_GNUC_WARN_UNUSED_RESULT;
