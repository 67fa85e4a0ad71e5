/* Forms of OpenAI's endpoints as objects. */
#pragma once
#include "api/api-private.h"

/* The fields of a form: texts, files as data: URIs, and arrays for names that end in "[]" or come
 * twice. Reads files: may block. */
bool vend_api_openai_form (VendCall *call, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
