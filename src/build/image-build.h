/* A model as an image: the steps that run in its root file system, by buildah. Blocking; one
 * thread, in the builder. */
#pragma once
#include "build/build-private.h"
#include "build/cog-yaml.h"
#include "build/schema.h"

typedef struct VendImageBuild VendImageBuild;

/* `yaml` is borrowed. UNAVAILABLE says what the machine lacks. */
bool vend_image_build_new (const VendBuildContext *context, const VendCogYaml *yaml,
                           VendImageBuild **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_image_build_free (VendImageBuild *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendImageBuild, vend_image_build_free)

/* In this order. RUNNER when a command fails, which said why in the log. */
bool vend_image_build_base (VendImageBuild *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_image_build_system (VendImageBuild *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_image_build_source (VendImageBuild *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_image_build_packages (VendImageBuild *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_image_build_commands (VendImageBuild *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_image_build_schema (VendImageBuild *build, VendSchema **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* `*out` is {"manifest": text, "blobs": [{"sha256", "size"}]}; the blobs lie in the folder of
 * weights. */
bool vend_image_build_write (VendImageBuild *build, const VendSchema *schema, json_t **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
