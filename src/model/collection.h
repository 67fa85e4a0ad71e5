/* Collections: named lists of models. Plain values. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  int64_t id;
  char *slug;
  char *name;
  char *description;
  char *full_description; /* or NULL */
  int64_t created_us;
} VendCollection;

void vend_collection_free (VendCollection *collection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCollection, vend_collection_free)

/* The form in lists: name, slug, description. */
json_t *vend_collection_to_json (const VendCollection *collection);
