/* Answers in text, as chunks of a stream or whole. Pure; one thread at a time. */
#pragma once
#include <stdint.h>

#include "model/prediction.h"
#include "openai/fit.h"

/* What an answer says of itself; texts are copied. */
typedef struct
{
  VendOpenaiEndpoint endpoint; /* CHAT, COMPLETIONS or RESPONSES */
  const char *id;              /* of the prediction */
  const char *model;           /* as the request names it */
  int64_t created_s;
  bool include_usage;
  int64_t max_tokens; /* 0: not said */
  uint64_t words;     /* of what the model read */
  const json_t *stop; /* texts that end the answer; or NULL */
} VendOpenaiVoice;

typedef struct VendOpenaiAnswer VendOpenaiAnswer;

VendOpenaiAnswer *vend_openai_answer_new (const VendOpenaiVoice *voice);
void vend_openai_answer_free (VendOpenaiAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOpenaiAnswer, vend_openai_answer_free)

/* ---- As a stream: each appends events. */
void vend_openai_answer_begin (VendOpenaiAnswer *answer, GString *to);
void vend_openai_answer_piece (VendOpenaiAnswer *answer, GString *to, const json_t *piece);
/* Whether a text has come that ends the answer: what the model still says is left out. */
bool vend_openai_answer_is_stopped (const VendOpenaiAnswer *answer);
/* The end, or the error of a run that failed. */
void vend_openai_answer_end (VendOpenaiAnswer *answer, GString *to, const VendPrediction *ended);

/* ---- Whole */
/* Looks for a text that ends the answer in the pieces after the first `from`, which it has seen. An
 * answer that is used for this says nothing. */
void vend_openai_answer_look (VendOpenaiAnswer *answer, const json_t *output, gsize from);
/* Of a run that succeeded, or that was canceled behind such a text. */
json_t *vend_openai_answer_whole (VendOpenaiAnswer *answer, const VendPrediction *ended)
    G_GNUC_WARN_UNUSED_RESULT;

/* {"prompt_tokens", "completion_tokens", "total_tokens"} by the model's own metrics, else by words
 * and marked; RESPONSES name them otherwise. */
json_t *vend_openai_usage (VendOpenaiEndpoint endpoint, const json_t *metrics, uint64_t words_in,
                           uint64_t words_out) G_GNUC_WARN_UNUSED_RESULT;
/* Of a run that did not succeed. */
json_t *vend_openai_run_error (const VendPrediction *ended, int *out_status)
    G_GNUC_WARN_UNUSED_RESULT;
