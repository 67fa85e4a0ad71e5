/* Requests of OpenAI's endpoints as inputs of models. First byte: the model, and which request. */
#include "fuzz.h"
#include "openai/embeddings.h"
#include "openai/media.h"
#include "openai/request.h"
#include "openai/transcript.h"
#include <string.h>

#define MOST_IGNORED 4096

static const char *const models[] = {
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"prompt\":{\"type\":\"string\"},"
  "\"system_prompt\":{\"type\":\"string\"},\"stop\":{\"type\":\"string\"},\"max_tokens\":{},"
  "\"images\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"uri\"}},"
  "\"voice\":{\"enum\":[\"a\"]},\"width\":{},\"height\":{},\"seconds\":{\"type\":\"integer\"}}},"
  "\"Output\":{\"type\":\"string\"}}}}",
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"messages\":{\"type\":\"array\"},"
  "\"tools\":{\"type\":\"array\"},\"n\":{\"type\":\"integer\"}}},\"Output\":{\"type\":\"object\"}}}"
  "}",
  "{\"components\":{\"schemas\":{\"Input\":{\"properties\":{\"messages\":{\"type\":\"string\"},"
  "\"audio\":{\"type\":\"string\",\"format\":\"uri\"},\"texts\":{\"type\":\"string\"},"
  "\"task\":{},\"aspect_ratio\":{}}},\"Output\":{\"type\":\"string\"}}}}",
};

typedef bool (*ReadRequest) (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             VendOpenaiFault *fault);

static bool
read_embeddings (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                 VendOpenaiFault *fault)
{
  json_auto_t *options = NULL;
  return vend_openai_read_embeddings (model, body, ask, &options, fault);
}

static bool
read_edits (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
            VendOpenaiFault *fault)
{
  json_auto_t *options = NULL;
  return vend_openai_read_images (model, VEND_OPENAI_EDITS, body, ask, &options, fault);
}

static bool
read_translation (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                  VendOpenaiFault *fault)
{
  json_auto_t *options = NULL;
  return vend_openai_read_transcription (model, VEND_OPENAI_TRANSLATIONS, body, ask, &options,
                                         fault);
}

static bool
read_video (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
            VendOpenaiFault *fault)
{
  json_auto_t *options = NULL;
  return vend_openai_read_video (model, body, ask, &options, fault);
}

static const ReadRequest readers[] = {
  vend_openai_read_chat,
  vend_openai_read_completion,
  vend_openai_read_response,
  read_embeddings,
  read_edits,
  vend_openai_read_speech,
  read_translation,
  read_video,
};

/* Subtitles of any output are lines that a player reads. */
static void
check_transcript (const json_t *output)
{
  json_auto_t *options = json_pack ("{s:s, s:s}", "format", "verbose_json", "task", "transcribe");
  json_auto_t *whole = vend_openai_transcript (output, output, options);
  g_autofree char *srt = vend_openai_subtitles (output, output, "srt");
  fuzz_check_json (whole);
  fuzz_check_utf8 (srt);
  g_autofree char *problem = NULL;
  json_auto_t *vectors = vend_openai_embeddings (output, output, output, "m", 1, &problem);
  g_assert_true ((vectors == NULL) == (problem != NULL));
}

static void
check_ask (const VendOpenaiAsk *ask)
{
  fuzz_check_json (ask->input);
  const char *name;
  json_t *param;
  json_object_foreach (ask->params, name, param)
    {
      g_assert_nonnull (json_object_get (ask->input, name));
      g_assert_true (json_is_string (param));
    }
  g_assert_cmpuint (ask->ignored->len, <, MOST_IGNORED);
  for (const char *c = ask->ignored->str; *c != '\0'; c++)
    g_assert_true (g_ascii_isgraph (*c));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const guint8 which = fuzz_take_byte (&input);
  json_auto_t *body = NULL;
  json_auto_t *openapi = json_loads (models[which % G_N_ELEMENTS (models)], 0, NULL);
  const VendOpenaiModel model = { openapi, NULL };
  g_assert_nonnull (openapi);
  if (!vend_json_parse (input.data, input.size, &body, NULL) || !json_is_object (body))
    return 0;
  check_transcript (json_object_get (body, "input") != NULL ? json_object_get (body, "input")
                                                            : body);
  json_auto_t *before = json_deep_copy (body);
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_auto (VendOpenaiFault) fault = { 0 };
  const bool good
      = readers[which / G_N_ELEMENTS (models) % G_N_ELEMENTS (readers)](&model, body, &ask, &fault);
  g_assert_true (json_equal (before, body));
  g_assert_true (good == (fault.message == NULL));
  if (good)
    check_ask (&ask);
  else
    {
      fuzz_check_utf8 (fault.message);
      g_assert_nonnull (fault.param);
    }
  return 0;
}
