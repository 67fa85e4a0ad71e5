/* Requests of OpenAI's endpoints as inputs of models. Pure: what comes from outside ends here. */
#pragma once
#include <stdint.h>

#include "openai/error.h"
#include "openai/fit.h"

/* What a request asks for. */
typedef struct
{
  json_t *input;    /* of the prediction */
  json_t *params;   /* name of an input → field of the request that it came from */
  GString *ignored; /* "n,user": fields that the model has no place for */
  bool stream;
  bool include_usage; /* with the stream */
  int64_t max_tokens; /* 0: not said */
  json_t *stop;   /* texts that end the answer, for a model without an input for them; or NULL */
  uint64_t words; /* of what the model reads */
} VendOpenaiAsk;

void vend_openai_ask_clear (VendOpenaiAsk *ask);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendOpenaiAsk, vend_openai_ask_clear)
/* Empty; every reader of a request begins with it. */
void vend_openai_ask_init (VendOpenaiAsk *ask);

/* The `model` of a request, borrowed. */
bool vend_openai_model_name (const json_t *body, const char **out, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

/* POST /chat/completions, /completions and /responses. On false `ask` has to be cleared too. */
bool vend_openai_read_chat (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                            VendOpenaiFault *fault) G_GNUC_WARN_UNUSED_RESULT;
bool vend_openai_read_completion (const VendOpenaiModel *model, const json_t *body,
                                  VendOpenaiAsk *ask, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_openai_read_response (const VendOpenaiModel *model, const json_t *body,
                                VendOpenaiAsk *ask, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

/* Sets the input that takes `field` to a new reference of `value`, as a field of the request; false
 * when there is none. */
bool vend_openai_ask_set (VendOpenaiAsk *ask, const VendOpenaiModel *model, const char *field,
                          const char *param, json_t *value);
void vend_openai_ask_ignore (VendOpenaiAsk *ask, const char *param);
/* Fields that no reader knows: an input of the same name takes one, else it is ignored. `known` is
 * NULL-terminated. */
void vend_openai_ask_others (VendOpenaiAsk *ask, const VendOpenaiModel *model, const json_t *body,
                             const char *const *known);
/* The field of the request behind a field of vend_schema_problems ("input.temperature"). Borrowed.
 */
const char *vend_openai_ask_param (const VendOpenaiAsk *ask, const char *field);

/* A number for the text of one, which is what forms have; anything else as it is. NULL for NULL; a
 * new reference. */
json_t *vend_openai_number (const json_t *value) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a field of requests for text changes what the answer means: it is refused where it has no
 * input. */
bool vend_openai_has_meaning (const char *name);

uint64_t vend_openai_count_words (const char *text);
