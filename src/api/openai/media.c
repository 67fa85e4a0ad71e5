/* Pictures, speech and transcripts. */
#include "openai/media.h"
#include "api/openai/files.h"
#include "api/openai/form.h"
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "openai/transcript.h"
#include <string.h>

/* Of the files of one reply, when it has both their bytes and their URLs. */
#define BOTH_BYTES (8 * 1024 * 1024)
/* When their bytes are asked for. */
#define BASE64_BYTES (64 * 1024 * 1024)
/* Of the files of a form: they are in memory for a moment. */
#define FORM_LIMIT "max-body"

static VendReply *
bad_output (const OpenaiRun *run, const char *what)
{
  return vend_api_openai_run_problem (run->id, 500, what, "bad_output");
}

static VendReply *
lost_output (const OpenaiRun *run, const GError *error)
{
  return vend_api_openai_run_problem (run->id, 500, error->message, "output_lost");
}

/* ---- Pictures */

static bool
add_picture (const OpenaiRun *run, const VendOutput *file, bool url, bool bytes, json_t *data,
             GError **error)
{
  json_t *picture = json_object ();
  json_array_append_new (data, picture);
  if (url)
    {
      g_autofree char *text = vend_output_file_text (file->token, file->name);
      json_auto_t *value = json_string (text);
      json_object_set_new (picture, "url",
                           vend_output_with_urls (value, vend_call_origin (run->call)));
    }
  if (bytes)
    {
      g_autofree char *coded = NULL;
      if (!vend_api_output_base64 (run->api, file, &coded, error))
        return false;
      json_object_set_new (picture, "b64_json", json_string (coded));
    }
  return true;
}

static VendReply *
make_pictures (OpenaiRun *run, const VendPrediction *ended)
{
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GError) error = NULL;
  json_auto_t *data = json_array ();
  const char *format = vend_json_string (run->options, "format");
  int64_t total = 0;
  if (!vend_api_output_files (run->api, ended->output, &files, &error))
    return lost_output (run, error);
  if (files->len == 0)
    return bad_output (run, "the model made no file");
  for (guint i = 0; i < files->len; i++)
    total += ((const VendOutput *) g_ptr_array_index (files, i))->size;
  const bool as_bytes = format != NULL && strcmp (format, "b64_json") == 0;
  if (as_bytes && total > BASE64_BYTES)
    return bad_output (run, "the pictures are too large for b64_json; ask for url");
  const bool bytes = as_bytes || (format == NULL && total <= BOTH_BYTES);
  for (guint i = 0; i < files->len; i++)
    if (!add_picture (run, g_ptr_array_index (files, i), !as_bytes, bytes, data, &error))
      return lost_output (run, error);
  VendReply *reply = vend_reply_json (
      200, json_pack ("{s:I, s:O}", "created", (json_int_t) (run->created_us / VEND_US_PER_S),
                      "data", data));
  vend_api_openai_mark (run, reply);
  return reply;
}

/* ---- Speech */

static VendReply *
make_speech (OpenaiRun *run, const VendPrediction *ended)
{
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GError) error = NULL;
  VendReply *reply = NULL;
  if (!vend_api_output_files (run->api, ended->output, &files, &error))
    return lost_output (run, error);
  if (files->len != 1)
    return bad_output (run, "the model made no file, or several");
  if (!vend_api_output_reply (run->api, g_ptr_array_index (files, 0), &reply, &error))
    return lost_output (run, error);
  vend_api_openai_mark (run, reply);
  return reply;
}

/* ---- Transcripts */

static VendReply *
make_transcript (OpenaiRun *run, const VendPrediction *ended)
{
  const char *format = vend_json_string (run->options, "format");
  const bool is_subtitles = strcmp (format, "srt") == 0 || strcmp (format, "vtt") == 0;
  VendReply *reply = NULL;
  if (is_subtitles || strcmp (format, "text") == 0)
    {
      g_autofree char *text = is_subtitles
                                  ? vend_openai_subtitles (ended->output, ended->metrics, format)
                                  : vend_openai_transcript_text (ended->output);
      g_autofree char *line = g_strconcat (text, is_subtitles ? "" : "\n", NULL);
      reply = vend_reply_new (200, "text/plain; charset=utf-8", line, strlen (line));
    }
  else
    reply = vend_reply_json (200,
                             vend_openai_transcript (ended->output, ended->metrics, run->options));
  vend_api_openai_mark (run, reply);
  return reply;
}

/* ---- The requests */

static bool
read_speech (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
             VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_speech (model, body, ask, fault);
}

static bool
serve (VendApi *api, VendCall *call, VendCaller *caller, const json_t *body,
       VendOpenaiEndpoint endpoint, OpenaiRead read, OpenaiMake make, VendReply **out,
       GError **error)
{
  const OpenaiService service
      = { .endpoint = endpoint, .read = read, .make = make, .reads_files = true };
  return vend_api_openai_serve (api, call, caller, body, &service, out, error);
}

static bool
post_images (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  return vend_api_object (call, &body, error)
         && serve (api, call, caller, body, VEND_OPENAI_IMAGES, vend_openai_read_images,
                   make_pictures, out, error);
}

static bool
post_edits (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  return vend_api_openai_form (call, &body, error)
         && serve (api, call, caller, body, VEND_OPENAI_EDITS, vend_openai_read_images,
                   make_pictures, out, error);
}

static bool
post_speech (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  return vend_api_object (call, &body, error)
         && serve (api, call, caller, body, VEND_OPENAI_SPEECH, read_speech, make_speech, out,
                   error);
}

static bool
post_transcriptions (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                     GError **error)
{
  json_auto_t *body = NULL;
  return vend_api_openai_form (call, &body, error)
         && serve (api, call, caller, body, VEND_OPENAI_TRANSCRIPTIONS,
                   vend_openai_read_transcription, make_transcript, out, error);
}

static bool
post_translations (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  json_auto_t *body = NULL;
  return vend_api_openai_form (call, &body, error)
         && serve (api, call, caller, body, VEND_OPENAI_TRANSLATIONS,
                   vend_openai_read_transcription, make_transcript, out, error);
}

/* Files are read, and base64 of them is made. */
#define CREATE_BY_FORM(path, handler) \
  { "POST",  path,       VEND_SCOPE_RUN,   VEND_BODY_MULTIPART, \
    handler, FORM_LIMIT, VEND_RATE_CREATE, .runs_on = VEND_RUN_BYTES }

const ApiRoute vend_api_openai_media_routes[] = {
  VEND_OPENAI_CREATE ("/openai/v1/images/generations", post_images),
  CREATE_BY_FORM ("/openai/v1/images/edits", post_edits),
  VEND_OPENAI_CREATE ("/openai/v1/audio/speech", post_speech),
  CREATE_BY_FORM ("/openai/v1/audio/transcriptions", post_transcriptions),
  CREATE_BY_FORM ("/openai/v1/audio/translations", post_translations),
  VEND_OPENAI_CREATE ("/v1/images/generations", post_images),
  CREATE_BY_FORM ("/v1/images/edits", post_edits),
  VEND_OPENAI_CREATE ("/v1/audio/speech", post_speech),
  CREATE_BY_FORM ("/v1/audio/transcriptions", post_transcriptions),
  CREATE_BY_FORM ("/v1/audio/translations", post_translations),
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
