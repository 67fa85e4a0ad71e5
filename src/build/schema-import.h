/* A model's signature as importing it shows it, for what its source cannot tell. */
#pragma once
#include "build/build-private.h"
#include "build/cog-yaml.h"

/* Runs `program` with `python` on the model's code: in a process group of its own, with limits and
 * a deadline, without anything secret in its environment. `*out_path` is then a file for the schema
 * program's --imported; free with g_free. RUNNER with the end of the traceback when the import
 * fails. Blocking. */
bool vend_schema_import (const VendBuildContext *context, const char *python, const char *program,
                         const VendCogYaml *yaml, char **out_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
