/* Steps of a build that are others when its source is an archive of `vend export`. Blocking; in the
 * builder. */
#pragma once
#include "build/build-private.h"
#include "build/bundle-manifest.h"
#include "build/interpreter.h"
#include "build/venv.h"

/* Checks the whole archive, and lays it out: the source in its place, weights and page beside it,
 * the rest in the work folder. */
bool vend_import_unpack (const VendBuildContext *context, VendBundleManifest **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* UNAVAILABLE when its packages cannot run here. */
bool vend_import_check_python (const VendBuildContext *context, const VendBundleManifest *manifest,
                               const VendInterpreter *interpreter, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* An environment of the archive's wheels, and of nothing else. */
bool vend_import_install (const VendBuildContext *context, const VendBundleManifest *manifest,
                          const VendInterpreter *interpreter, VendVenv **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Puts what the commands of the first build made beside the source. */
bool vend_import_add_made (const VendBuildContext *context, const VendBundleManifest *manifest,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Makes the result of the build that of the archive's version. */
void vend_import_finish (const VendBundleManifest *manifest, const VendVenv *venv,
                         VendBuildResult *result);
