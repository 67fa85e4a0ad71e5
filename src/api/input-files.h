/* File inputs: our own URLs become blobs, other people's stay for the director to fetch. */
#pragma once
#include "api/api-private.h"

/* The array of docs/architecture/director.md ("files" of `run`), and what holds the bytes of those
 * of this server until the prediction's row does; both stay as they are when there are none.
 * INVALID names an input whose file is not there, or not the caller's. */
bool vend_api_input_files (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                           const json_t *openapi, const char *component, const json_t *input,
                           json_t **out, VendBlobHolds **out_holds, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
