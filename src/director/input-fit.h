/* What coglet's server does with an input before its worker gets it. Pure. */
#pragma once
#include <stdbool.h>

#include "json/json.h"

/* Drops what the model does not know, checks the rest and puts a null for each optional input that
 * has no default and is missing. `input` is changed in place; a model without a schema gets it as
 * it is. INVALID names the inputs. */
bool vend_input_fit (const json_t *openapi, bool train, json_t *input, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
