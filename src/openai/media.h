/* Requests for pictures, speech, transcripts and videos. Bodies are objects; of forms, files are
 * data: URIs and numbers may be texts. Pure. */
#pragma once
#include "openai/request.h"

/* POST /images/generations and /images/edits. Options: {"format": "url" or "b64_json"}, without it
 * both. */
bool vend_openai_read_images (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint,
                              const json_t *body, VendOpenaiAsk *ask, json_t **out_options,
                              VendOpenaiFault *fault) G_GNUC_WARN_UNUSED_RESULT;
/* POST /audio/speech. */
bool vend_openai_read_speech (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                              VendOpenaiFault *fault) G_GNUC_WARN_UNUSED_RESULT;
/* POST /audio/transcriptions and /audio/translations. Options: {"format": "json", "text", "srt",
 * "verbose_json" or "vtt", "task", "language"}. */
bool vend_openai_read_transcription (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint,
                                     const json_t *body, VendOpenaiAsk *ask, json_t **out_options,
                                     VendOpenaiFault *fault) G_GNUC_WARN_UNUSED_RESULT;
/* POST /videos. Options: {"seconds", "size"} as asked. */
bool vend_openai_read_video (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             json_t **out_options, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;
