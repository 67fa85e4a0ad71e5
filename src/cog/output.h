/* What a version's schema says about its output. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"

/* VendStreamFlags of the component `Output`. */
guint vend_cog_stream_flags (const json_t *openapi);
