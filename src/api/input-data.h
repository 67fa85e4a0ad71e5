/* Files that come as data: URIs inside of a create: large ones go to the file store. */
#pragma once
#include "api/api-private.h"

/* Longer URIs become files, which rows, lists and messages name by a short URL. */
#define VEND_API_INLINE_DATA_MAX (256 << 10)

/* Goes through the entries of `files` (of vend_cog_input_files) that have "data". What stays in the
 * input leaves `files`; what is stored gets its "path", is held by `holds`, and joins
 * `prediction->kept`. `prediction->input` becomes another value where it changes. What is malformed
 * is told in `problems`, which stays empty otherwise; then nothing is stored. */
bool vend_api_input_data (VendApi *api, json_t *files, VendPrediction *prediction,
                          VendBlobHolds *holds, json_t *problems, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
