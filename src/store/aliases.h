/* Store functions of aliases, the names of an account for models, and of the mappings that models
 * state for OpenAI's endpoints. Inside a transaction; outputs are the caller's. */
#pragma once
#include "store/db.h"

#define VEND_ALIASES_MAX 1000 /* of an account */

typedef struct
{
  char *name;
  char *owner; /* of the model */
  char *model; /* its name */
} VendAlias;

void vend_alias_free (VendAlias *alias);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAlias, vend_alias_free)

/* Letters, digits and ".", "_", "-", ":", at most 100. */
bool vend_alias_name_is_good (const char *name);

/* Makes the alias, or moves it to this model. INVALID when the account has too many. */
bool vend_store_alias_put (VendDb *db, int64_t account_id, const char *name, int64_t model_id,
                           int64_t now_us, GError **error);
bool vend_store_alias_get (VendDb *db, int64_t account_id, const char *name, int64_t *out_model,
                           GError **error);
/* Of VendAlias, by name. */
bool vend_store_alias_list (VendDb *db, int64_t account_id, GPtrArray **out, GError **error);
bool vend_store_alias_delete (VendDb *db, int64_t account_id, const char *name, GError **error);

/* `mapping` as in vend.yaml. */
bool vend_store_openai_mapping_set (VendDb *db, int64_t model_id, const json_t *mapping,
                                    GError **error);
/* `*out` is NULL for a model without one. */
bool vend_store_openai_mapping_get (VendDb *db, int64_t model_id, json_t **out, GError **error);
/* The model is being deleted: its mapping, and the aliases of it. */
bool vend_store_openai_forget_model (VendDb *db, int64_t model_id, GError **error);
