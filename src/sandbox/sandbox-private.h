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

/* Where the child assembles what it shows under names of its own; of the child alone, while
 * bubblewrap starts. */
#define VEND_SANDBOX_STAGE "/tmp"

/* Part of the model's /etc, which is one mount where it is staged: each that bubblewrap makes costs
 * a look through all others. */
bool vend_sandbox_in_etc (const VendSandboxOptions *options, const VendSandboxPath *path);

/* A memory file with pin.c in it; -1 and errno on failure. */
int vend_sandbox_program (void);

/* arguments.c: pure but for looks at the machine's folders. */
/* Folders and files of the system that models need. */
VendSandboxPaths *vend_sandbox_system_paths (const VendSandboxOptions *options)
    G_GNUC_WARN_UNUSED_RESULT;
/* Words of bubblewrap, each with a NUL at its end. `staged` (NULL: none) has a path for each of
 * `paths`; then /etc is there too, with its passwd and group. */
GByteArray *vend_sandbox_arguments (const VendSandboxOptions *options,
                                    const VendSandboxPaths *paths, char *const *staged)
    G_GNUC_WARN_UNUSED_RESULT;
/* Words for pin.c. */
GByteArray *vend_sandbox_orders (const VendSandboxOptions *options, const VendSandboxPaths *paths)
    G_GNUC_WARN_UNUSED_RESULT;
#define VEND_SANDBOX_GROUP "root:x:0:\nmodel:x:1000:\nnogroup:x:65534:\n"
char *vend_sandbox_passwd (const VendSandboxOptions *options) G_GNUC_WARN_UNUSED_RESULT;
