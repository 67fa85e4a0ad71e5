/* Requirements → the exact packages that will be installed. */
#pragma once
#include "build/build-private.h"
#include "build/interpreter.h"
#include "build/requirements.h"

#define VEND_RESOLVED_MAX_SIZE ((gsize) 4 * 1024 * 1024)

/* `*out` is text for an installer, one package a line; free with g_free. */
bool vend_resolve (const VendBuildContext *context, const VendInterpreter *interpreter,
                   const VendRequirements *requirements, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
