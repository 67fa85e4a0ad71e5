/* File inputs: our own URLs become blobs, other people's stay for the director to fetch. */
#pragma once
#include "api/api-private.h"

/* Where the input is described; borrowed. */
typedef struct
{
  const json_t *openapi;
  const char *component;
} VendApiSchema;

/* Reads the files of `prediction->input`, sets `prediction->files` (the array of
 * docs/architecture/director.md, "files" of `run`) and `prediction->kept`, and gives what holds the
 * bytes of those of this server until the prediction's row does; they stay as they are when there
 * are none. INVALID names an input whose file is not there, or not the caller's; malformed ones are
 * added to `problems`, as of vend_schema_problems. */
bool vend_api_input_files (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                           const VendApiSchema *schema, VendPrediction *prediction,
                           VendBlobHolds **out_holds, json_t *problems, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
