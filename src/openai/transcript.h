/* Transcripts in the forms that clients ask for. Pure. */
#pragma once
#include <glib.h>

#include "json/json.h"

/* The words of an output: a text, pieces of one, or an object that has it. Free with g_free. */
char *vend_openai_transcript_text (const json_t *output) G_GNUC_WARN_UNUSED_RESULT;
/* {"text"} for "json", more for "verbose_json". `options` as of vend_openai_read_transcription. */
json_t *vend_openai_transcript (const json_t *output, const json_t *metrics, const json_t *options)
    G_GNUC_WARN_UNUSED_RESULT;
/* Subtitles: "srt" or "vtt". Free with g_free. */
char *vend_openai_subtitles (const json_t *output, const json_t *metrics, const char *format)
    G_GNUC_WARN_UNUSED_RESULT;
