/* Files of outputs, for replies that have their bytes. Blocks on the store and the disk. */
#pragma once
#include "api/api-private.h"
#include "model/file.h"

/* The files of an output, in their order, of VendOutput; values that are none are left out. */
bool vend_api_output_files (VendApi *api, const json_t *output, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* A reply of its bytes. */
bool vend_api_output_reply (VendApi *api, const VendOutput *file, VendReply **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Its bytes in base64; g_free. */
bool vend_api_output_base64 (VendApi *api, const VendOutput *file, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
