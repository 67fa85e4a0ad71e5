/* Inputs of models: a checked API input made ready for the model server. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* Levels of arrays and objects within one input. The model server's parser ends at 127, and has the
 * request and the input around it. */
#define VEND_COG_INPUT_DEPTH 120

/* Whether the model server can take what the schema allows; the error names the input. */
bool vend_cog_input_check (const json_t *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces reals by integers where the schema has an integer: 1.0 is one, and the model server
 * would hand a float to the model. `input` has been checked against the schema. */
void vend_cog_input_make_whole (const json_t *openapi, const char *component, json_t *input);

/* Names of the inputs that are Secrets, as an array; NULL when there are none. */
json_t *vend_cog_secret_names (const json_t *openapi, const char *component)
    G_GNUC_WARN_UNUSED_RESULT;

/* `input` without nulls at the top level, which the model server refuses; a new object that shares
 * the values. */
json_t *vend_cog_input_for_model (const json_t *input) G_GNUC_WARN_UNUSED_RESULT;

/* Where `input` names files by URL: an array of {"at": ["image"] or ["images", 2], "url": "…"} for
 * values of Path and File inputs that start with http:// or https://, in any case, and {"at": …,
 * "data": "…"} for data: URIs. */
json_t *vend_cog_input_files (const json_t *openapi, const char *component, const json_t *input)
    G_GNUC_WARN_UNUSED_RESULT;
