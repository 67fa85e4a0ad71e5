/* Embeddings: requests, and vectors in the form that clients read. Pure. */
#pragma once
#include "openai/request.h"

/* POST /embeddings. `*out_options` is what the reply needs: {"base64": bool, "n": number of texts},
 * and `texts` for a model that takes one: each is a run, in place of the first, which the input
 * has.
 */
bool vend_openai_read_embeddings (const VendOpenaiModel *model, const json_t *body,
                                  VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

/* The reply from the output of a run. NULL when that is not `n` vectors; `*out_problem` says why
 * then (g_free). */
json_t *vend_openai_embeddings (const json_t *output, const json_t *metrics, const json_t *options,
                                const char *model, uint64_t words, char **out_problem)
    G_GNUC_WARN_UNUSED_RESULT;
