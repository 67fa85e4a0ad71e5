/* The one way a prediction comes into being, whatever route named its version. */
#pragma once
#include "api/api-private.h"

/* Checks the body against the version's schema, resolves files, submits, and answers when it is on
 * disk, or has ended, or the hold ran out. `model`, `version` and `body` are borrowed. */
bool vend_api_create (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                      const VendModel *model, const VendVersion *version, const json_t *body,
                      VendReply **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

VendReply *vend_api_problem (int status, const char *title, const char *detail);
