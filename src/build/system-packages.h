/* Debian packages that a model needs: looked for, never installed. */
#pragma once
#include "build/build-private.h"

/* UNAVAILABLE names all that are missing and the command that installs them. */
bool vend_system_packages_check (const VendBuildContext *context, char **packages, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* True for what may be given to dpkg-query and shown in a command to copy. */
bool vend_system_package_is_name (const char *text);
