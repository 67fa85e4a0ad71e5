/* Requirements → the exact packages that will be installed. */
#pragma once
#include "build/build-private.h"
#include "build/interpreter.h"
#include "build/requirements.h"

#define VEND_RESOLVED_MAX_SIZE ((gsize) 4 * 1024 * 1024)

/* Which of PyTorch's own indexes the installer is to use: "cpu", "cu121". NULL when none is asked
 * for or the requirements name indexes themselves. Borrowed. */
const char *vend_resolve_torch_index (const VendRequirements *requirements);

/* As vend_package_hosts_check, by the rules of the build. */
bool vend_resolve_check_hosts (const VendBuildContext *context,
                               const VendRequirements *requirements, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `*out` is text for an installer, one package a line; free with g_free. */
bool vend_resolve (const VendBuildContext *context, const VendInterpreter *interpreter,
                   const VendRequirements *requirements, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
