/* Messages of a conversation as inputs of a model. Pure. */
#pragma once
#include "openai/request.h"

/* Sets `messages`, or `prompt` with `system` and files, from an array of messages. `param` is the
 * field of the request that has them. */
bool vend_openai_take_messages (VendOpenaiAsk *ask, const VendOpenaiModel *model,
                                const json_t *messages, const char *param, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;
