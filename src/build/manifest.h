/* The content of a version, which gives its id. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* The sorted entries of a tree, a line each: "d folder", "f SHA-256 file", "x SHA-256 program". Its
 * own SHA-256 is the digest of the tree. Blocks on disk. Free with g_free. */
bool vend_source_text (const char *dir, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  const char *source;   /* digest of the tree */
  const char *packages; /* exact packages, one a line */
  const char *python;   /* "3.11.7" */
  json_t *cog_yaml;     /* its meaning; borrowed */
  json_t *weights;      /* managed ones; borrowed, NULL: none */
} VendManifestFacts;

/* The part of a manifest that is hashed: no time, no path of this machine. */
json_t *vend_manifest_content (const VendManifestFacts *facts) G_GNUC_WARN_UNUSED_RESULT;
/* The version id: the same content gives the same id everywhere. Free with g_free. */
char *vend_manifest_id (const json_t *content) G_GNUC_WARN_UNUSED_RESULT;
