/* The builder's side of `vend export`: one version → one archive. Blocking; runs in its own
 * process, since it starts the version's Python. docs/architecture/export.md has the format. */
#pragma once
#include "build/build.h"

/* `spec->export_spec` is what vend_export_new made. Leaves the archive in the staging folder. */
bool vend_export_run (const VendBuildSpec *spec, VendBuildLog log, void *log_data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
