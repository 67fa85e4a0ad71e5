/* Search in models and collections. Inside a transaction; outputs are the caller's. Queries are
 * translated for the database's search engine here: any text is a valid query. */
#pragma once
#include "store/db.h"

typedef struct
{
  int64_t id;
  double score; /* larger is better */
} VendHit;

/* Best first, of VendHit. Models by class of match: the name is the text, the name begins with the
 * text, all words in owner and name, all words with the description, all words anywhere. Within a
 * class by relevance, then by number of runs. Models with some of the words follow only when no
 * model has all. Public models, and those of account `viewer`. Text without words finds nothing. */
bool vend_store_search_models (VendDb *db, const char *text, int64_t viewer, int limit,
                               GPtrArray **out, GError **error);
/* Best first, of VendHit. */
bool vend_store_search_collections (VendDb *db, const char *text, int limit, GPtrArray **out,
                                    GError **error);
