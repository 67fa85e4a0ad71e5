/* The example models that Vend ships: where they lie, and what they say of themselves. Main thread
 * only; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  char *name;
  char *dir;
  json_t *card; /* as of build/card.h; NULL when its vend.yaml is wrong */
} VendShippedExample;

/* `given`, or the folder that belongs to this program: installed, or of a source checkout.
 * NOT_FOUND names the places. Free with g_free. */
bool vend_shipped_examples_find (const char *given, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Sorted by name, of VendShippedExample; warns of those whose vend.yaml is wrong. */
bool vend_shipped_examples_load (const char *dir, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* INVALID, with the names there are, when it is not there. Borrowed. */
bool vend_shipped_examples_get (const GPtrArray *examples, const char *name,
                                const VendShippedExample **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
