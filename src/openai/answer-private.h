/* The inside of an answer. */
#pragma once
#include "openai/chunks.h"
#include "openai/stop.h"

struct VendOpenaiAnswer
{
  VendOpenaiEndpoint endpoint;
  char *id;  /* with the prefix of its kind */
  char *run; /* of the prediction */
  char *model;
  int64_t created_s;
  bool include_usage;
  int64_t max_tokens;
  uint64_t words_in;

  GString *text;      /* so far; of streams kept for RESPONSES alone */
  uint64_t words_out; /* so far */
  bool in_word;
  json_t *tool_calls;   /* so far, complete ones; or NULL */
  json_t *choices;      /* all of them, when the model gave such; or NULL */
  char *finish;         /* what the model said, or NULL */
  json_t *usage;        /* what the model said, or NULL */
  guint n_events;       /* of RESPONSES */
  VendOpenaiStop *stop; /* or NULL */
};

/* What one piece of output brings. */
typedef struct
{
  const char *text;         /* borrowed from the piece or `own`; "" = none */
  char *own;                /* JSON of a value that is no text */
  const json_t *tool_calls; /* borrowed, or NULL */
} VendOpenaiPiece;

void vend_openai_piece_clear (VendOpenaiPiece *piece);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendOpenaiPiece, vend_openai_piece_clear)

/* Counts the piece in. */
void vend_openai_take_piece (VendOpenaiAnswer *answer, const json_t *value, VendOpenaiPiece *out);
/* What was kept back of the pieces, at the end. */
void vend_openai_take_rest (VendOpenaiAnswer *answer, VendOpenaiPiece *out);
/* Whether the run has ended as the request wanted it. */
bool vend_openai_answer_is_good (const VendOpenaiAnswer *answer, const VendPrediction *ended);
const char *vend_openai_finish_reason (const VendOpenaiAnswer *answer, const json_t *metrics);
json_t *vend_openai_answer_usage (const VendOpenaiAnswer *answer, const json_t *metrics);
/* "data: <value>\n\n"; `take` goes over. */
void vend_openai_event (GString *to, const char *name, json_t *take);

/* ---- responses.c */
json_t *vend_openai_response (const VendOpenaiAnswer *answer, const char *status,
                              const VendPrediction *ended);
void vend_openai_response_begin (VendOpenaiAnswer *answer, GString *to);
void vend_openai_response_piece (VendOpenaiAnswer *answer, GString *to, const char *text);
void vend_openai_response_end (VendOpenaiAnswer *answer, GString *to, const VendPrediction *ended);
