/* What this machine has for workspaces, in words for people. Blocks for milliseconds. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "workspace/workspace.h"

/* In front of the name of the folder that a probe makes. */
#define VEND_PROBE_PREFIX ".probe-"

/* Makes an empty workspace in `data_dir` and removes it. `*out_text` (free with g_free) says what
 * instances get there. False when that is less than a working copy each, a /tmp each and sources
 * that cannot be written to, or when there can be none. */
bool vend_workspace_probe (const char *data_dir, VendCopyKind kind, char **out_text);

/* Removes the folders of probes that were killed. Folders younger than ten minutes stay, since
 * 'vend doctor' may probe beside a server. */
void vend_workspace_probe_sweep (const char *data_dir);
