/* Collections: named lists of models. Plain values. */
#include "model/collection.h"

void
vend_collection_free (VendCollection *collection)
{
  if (collection == NULL)
    return;
  g_free (collection->slug);
  g_free (collection->name);
  g_free (collection->description);
  g_free (collection->full_description);
  g_free (collection);
}

json_t *
vend_collection_to_json (const VendCollection *collection)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "name", collection->name);
  vend_json_set_string (object, "slug", collection->slug);
  vend_json_set_string (object, "description", collection->description);
  return object;
}
