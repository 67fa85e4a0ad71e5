/* The kind of workspace that this machine offers, in words for people. Blocks for milliseconds. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "workspace/workspace.h"

/* Prefix of a probe's folder. */
#define VEND_PROBE_PREFIX ".probe-"

/* Makes an empty workspace in `data_dir` and removes it. `*out_text` (free with g_free) describes
 * the workspace of instances. False when that lacks a working copy each, a /tmp each or read-only
 * sources, or when there can be none. */
bool vend_workspace_probe (const char *data_dir, VendCopyKind kind, char **out_text);

/* Removes folders of killed probes. Folders younger than ten minutes stay, since 'vend doctor' may
 * probe beside a server. */
void vend_workspace_probe_sweep (const char *data_dir);
