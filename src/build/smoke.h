/* Starts a built model once, to see whether it comes up. */
#pragma once
#include "build/build-private.h"
#include "build/venv.h"

/* RUNNER when the model server ends, its setup fails or it takes too long. Its log goes to the
 * build's. */
bool vend_smoke_start (const VendBuildContext *context, const VendVenv *venv, const json_t *launch,
                       char *const *links, GError **error) G_GNUC_WARN_UNUSED_RESULT;
