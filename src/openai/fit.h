/* Which of OpenAI's endpoints a model fits, by the schema of its version and by what its owner
 * states. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_OPENAI_CHAT,
  VEND_OPENAI_COMPLETIONS,
  VEND_OPENAI_RESPONSES,
  VEND_OPENAI_EMBEDDINGS,
  VEND_OPENAI_IMAGES,
  VEND_OPENAI_EDITS,
  VEND_OPENAI_SPEECH,
  VEND_OPENAI_TRANSCRIPTIONS,
  VEND_OPENAI_TRANSLATIONS,
  VEND_OPENAI_VIDEOS,
  VEND_OPENAI_N_ENDPOINTS
} VendOpenaiEndpoint;

/* A version as these endpoints see it; borrowed. */
typedef struct
{
  const json_t *openapi;
  const json_t *mapping; /* what is stated (openai/mapping.h); or NULL */
} VendOpenaiModel;

/* "chat.completions" */
const char *vend_openai_endpoint_name (VendOpenaiEndpoint endpoint);
/* False when there is none of that name. */
bool vend_openai_endpoint_parse (const char *name, VendOpenaiEndpoint *out);
/* Whether a mapping may name this as a field of requests. */
bool vend_openai_has_field (const char *field);

/* The name of the input that takes a field, and its schema; NULL when the model has none. */
const char *vend_openai_input (const VendOpenaiModel *model, const char *field,
                               const json_t **out_schema);
/* Whether values of this schema are files, lists of values, texts. */
bool vend_openai_takes_file (const VendOpenaiModel *model, const json_t *schema);
bool vend_openai_takes_list (const VendOpenaiModel *model, const json_t *schema);
bool vend_openai_takes_text (const VendOpenaiModel *model, const json_t *schema);

/* NULL when it fits, else a sentence that says why not. Free with g_free. */
char *vend_openai_misfit (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_openai_fits_any (const VendOpenaiModel *model);

/* {"endpoints": ["chat.completions", …], "others": {"embeddings": "why not", …}} */
json_t *vend_openai_describe (const VendOpenaiModel *model) G_GNUC_WARN_UNUSED_RESULT;
