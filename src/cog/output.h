/* Outputs of models, as their schemas describe them. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"

/* VendStreamFlags of the component `Output`. */
guint vend_cog_stream_flags (const json_t *openapi);
