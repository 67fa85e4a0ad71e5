/* Which coglet runs a model, and whether its worker may be spoken to without its server. Blocks for
 * a moment: a folder is listed. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* The versions whose worker was tried with this director; docs/architecture/director.md says how.
 */
bool vend_worker_version_is_known (const char *version);

/* The version of coglet in the virtual environment that `argv` starts a Python of: the one that
 * VIRTUAL_ENV of `env` names, else the one whose `python` is first on its PATH. NULL when there is
 * none or more than one. Free with g_free. */
char *vend_worker_version_find (char *const *argv, char *const *env) G_GNUC_WARN_UNUSED_RESULT;
