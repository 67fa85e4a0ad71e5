/* Store functions of deployments and their releases. Inside a transaction; outputs are the
 * caller's. */
#pragma once
#include "model/deployment.h"
#include "store/db.h"

/* Sets deployment->id; `current` is its first release. EXISTS when owner/name is taken. */
bool vend_store_deployment_insert (VendDb *db, VendDeployment *deployment, GError **error);
bool vend_store_deployment_by_name (VendDb *db, const char *owner, const char *name,
                                    VendDeployment **out, GError **error);
/* Newest first, of VendDeployment, after (after_us, after_id); G_MAXINT64 = first page. */
bool vend_store_deployment_page (VendDb *db, int64_t account_id, int64_t after_us, int64_t after_id,
                                 VendPage *page, GPtrArray **out, GError **error);
/* The releases before a number (G_MAXINT64: all), the newest first, of VendRelease. */
bool vend_store_release_page (VendDb *db, int64_t deployment_id, int64_t before_number,
                              VendPage *page, GPtrArray **out, GError **error);
bool vend_store_deployment_all (VendDb *db, GPtrArray **out, GError **error);
bool vend_store_deployment_count (VendDb *db, int64_t account_id, int64_t *out, GError **error);

/* Makes deployment->current, a new release, the current one. The release serves at once when it
 * runs like the serving release. */
bool vend_store_deployment_release (VendDb *db, const VendDeployment *deployment, GError **error);
/* Release `number` takes predictions from now on, unless the serving release is newer. */
bool vend_store_deployment_serve (VendDb *db, int64_t id, int64_t number, GError **error);

/* Whether predictions of the deployment have not ended, and since when it has been idle: the end of
 * its last prediction, or when its last minimum of instances became 0; 0 = it never ran. */
bool vend_store_deployment_use (VendDb *db, const VendDeployment *deployment, bool *out_runs,
                                int64_t *out_since_us, GError **error);
bool vend_store_deployment_delete (VendDb *db, int64_t id, GError **error);

/* Whether a deployment runs this version. */
bool vend_store_deployment_of_version (VendDb *db, int64_t model_id, const char *version, bool *out,
                                       GError **error);
/* Hardware and scaling of the newest release of "owner/name" with this version, without bounds;
 * NOT_FOUND when there is none. */
bool vend_store_release_of_version (VendDb *db, const char *full_name, int64_t model_id,
                                    const char *version, char **out_hardware,
                                    VendScaling *out_scaling, GError **error);
