/* Search in models and collections. Inside a transaction; outputs are the caller's. What a query
 * means to the database's search engine is decided here: any text is a good query. */
#pragma once
#include "store/db.h"

typedef struct
{
  int64_t id;
  double score; /* larger is better */
} VendHit;

/* Best first, of VendHit: models whose name is the text, whose name begins with it, that have all
 * words in owner and name, in the description too, anywhere. Within each by relevance, then by how
 * often they were run. Models with some of the words follow only when none has all. Public ones,
 * and those of account `viewer`. Text without any word finds nothing. */
bool vend_store_search_models (VendDb *db, const char *text, int64_t viewer, int limit,
                               GPtrArray **out, GError **error);
/* Best first, of VendHit. */
bool vend_store_search_collections (VendDb *db, const char *text, int limit, GPtrArray **out,
                                    GError **error);
