/* Store functions of managed weights. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/weight-set.h"
#include "store/db.h"

/* A set as it is known, whoever uses it. It has no name, target and source, which are those
 * of versions; `can_fetch`: all that use it can fetch it again. */
typedef struct
{
  VendWeightSet *set;
  bool is_present; /* its files are in the file store */
  bool is_pinned;  /* by any version */
  int64_t used_us;
} VendStoredWeights;

void vend_stored_weights_free (VendStoredWeights *stored);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendStoredWeights, vend_stored_weights_free)

/* A set that a version uses. */
typedef struct
{
  int64_t model_id;
  char *owner;
  char *model;
  char *version;
  VendWeightSet *set;
  bool is_pinned; /* by this version */
  bool is_present;
  int64_t used_us;
} VendHeldWeights;

void vend_held_weights_free (VendHeldWeights *held);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHeldWeights, vend_held_weights_free)

/* `sets` is of VendWeightSet, whose files are in the file store: they are in use from then on. What
 * the version holds already is left as it is. */
bool vend_store_weight_sets_put (VendDb *db, int64_t model_id, const char *version,
                                 const GPtrArray *sets, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The version holds sets that another one holds, present or not. */
bool vend_store_weight_sets_share (VendDb *db, int64_t model_id, const char *version,
                                   const GPtrArray *sets, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Those that nobody else uses are forgotten. */
bool vend_store_weight_sets_let_go (VendDb *db, int64_t model_id, const char *version,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of VendStoredWeights, the longest unused first. */
bool vend_store_weight_sets_all (VendDb *db, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* False for an unknown one as well. */
bool vend_store_weight_set_is_present (VendDb *db, const char *digest, bool *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_weight_set_present (VendDb *db, const char *digest, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* `*out_done` is false, and nothing is changed, when the set is pinned, cannot be fetched again or
 * is absent. */
bool vend_store_weight_set_absent (VendDb *db, const char *digest, bool *out_done, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_weight_set_used (VendDb *db, const char *digest, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_weight_sets_pin (VendDb *db, int64_t model_id, const char *version, bool is_pinned,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Present sets that an account has from URLs: an object, source → files. */
bool vend_store_weight_sets_of_urls (VendDb *db, int64_t account_id, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Of VendHeldWeights, by model, version and name; after a row, or NULL for the first page. */
bool vend_store_weights_held_by_account (VendDb *db, int64_t account_id,
                                         const VendHeldWeights *after, VendPage *page,
                                         GPtrArray **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_weights_held_by_version (VendDb *db, int64_t model_id, const char *version,
                                         GPtrArray **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
