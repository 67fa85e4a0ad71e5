/* What the files of a sandbox share. */
#pragma once
#include "sandbox/sandbox.h"

struct VendSandboxPaths
{
  GPtrArray *all; /* of VendSandboxPath */
  bool has_gpus;
};

/* Copies it. Nothing when it does not exist, or when something is at its place. */
void vend_sandbox_paths_add (VendSandboxPaths *paths, const VendSandboxPath *path);

/* A memory file with pin.c in it; -1 and errno on failure. */
int vend_sandbox_program (void);

/* arguments.c: pure but for looks at the machine's folders. */
/* Folders and files of the system that models need. */
VendSandboxPaths *vend_sandbox_system_paths (const VendSandboxOptions *options)
    G_GNUC_WARN_UNUSED_RESULT;
/* Words of bubblewrap, each with a NUL at its end. `staged` (NULL: none) has a path for each of
 * `paths`. */
GByteArray *vend_sandbox_arguments (const VendSandboxOptions *options,
                                    const VendSandboxPaths *paths, char *const *staged)
    G_GNUC_WARN_UNUSED_RESULT;
/* Words for pin.c. */
GByteArray *vend_sandbox_orders (const VendSandboxOptions *options, const VendSandboxPaths *paths)
    G_GNUC_WARN_UNUSED_RESULT;
char *vend_sandbox_passwd (const VendSandboxOptions *options) G_GNUC_WARN_UNUSED_RESULT;
