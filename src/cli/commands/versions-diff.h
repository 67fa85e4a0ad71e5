/* What differs between two versions. Pure. */
#pragma once
#include "json/json.h"

/* What is known of one version; borrowed. */
typedef struct
{
  const json_t *provenance;
  const json_t *openapi;
  const json_t *files; /* of the source; NULL: not asked for, since the sources are the same */
} VendVersionFacts;

/* A list of {"what", "name", "a", "b"}, where null stands for "not there". */
json_t *vend_versions_diff (const VendVersionFacts *a, const VendVersionFacts *b)
    G_GNUC_WARN_UNUSED_RESULT;
