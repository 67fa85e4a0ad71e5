/* The files of a pushed source, for comparisons. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* A list of {"path", "size", "sha256"}, sorted by path; without what the build has added: byte code
 * and the folder .cog. */
bool vend_source_list (const char *dir, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
