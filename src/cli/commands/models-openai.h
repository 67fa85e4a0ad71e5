/* OpenAI's endpoints of a model. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* Which endpoints the model fits, and why it fits no others. `openai` as the API has it, or NULL.
 */
void vend_models_openai_print (const json_t *openai);
/* `vend models openai`. */
bool vend_models_openai (int argc, char **argv, GError **error);
