/* Requests for pictures, speech, transcripts and videos, and videos as jobs. */
#include "openai/media.h"
#include "openai/video.h"
#include "schemas.h"

#define PROMPT "'prompt': " TEXT
#define FILES "{'type': 'array', 'items': " FILE_URI "}"

typedef struct
{
  VendOpenaiEndpoint endpoint;
  const char *inputs;
  const char *body;
  const char *input; /* NULL: refused, and `told` is the field */
  const char *told;  /* else what is ignored */
} Case;

static const Case cases[] = {
  { VEND_OPENAI_IMAGES, "{" PROMPT ", 'width': {}, 'height': {}}",
    "{'prompt': 'p', 'size': '30x20', 'n': 1}", "{'prompt': 'p', 'width': 30, 'height': 20}", "" },
  { VEND_OPENAI_IMAGES, "{" PROMPT ", 'size': {}}", "{'prompt': 'p', 'size': '30x20'}",
    "{'prompt': 'p', 'size': '30x20'}", "" },
  { VEND_OPENAI_IMAGES, "{" PROMPT ", 'aspect_ratio': {}}", "{'prompt': 'p', 'size': '30x20'}",
    "{'prompt': 'p', 'aspect_ratio': '3:2'}", "" },
  { VEND_OPENAI_IMAGES, "{" PROMPT "}", "{'prompt': 'p', 'size': '3x2', 'quality': 'hd'}",
    "{'prompt': 'p'}", "size,quality" },
  { VEND_OPENAI_IMAGES, "{" PROMPT ", 'count': {}}", "{'prompt': 'p', 'n': 3, 'size': 'auto'}",
    "{'prompt': 'p', 'count': 3}", "" },
  { VEND_OPENAI_IMAGES, "{" PROMPT "}", "{'prompt': 'p', 'n': 3}", NULL, "n" },
  { VEND_OPENAI_IMAGES, "{" PROMPT "}", "{'prompt': 'p', 'size': '3'}", NULL, "size" },
  { VEND_OPENAI_IMAGES, "{" PROMPT "}", "{'prompt': 'p', 'size': '0x9'}", NULL, "size" },
  { VEND_OPENAI_IMAGES, "{" PROMPT "}", "{}", NULL, "prompt" },
  { VEND_OPENAI_EDITS, "{" PROMPT ", 'image': " FILE_URI ", 'steps': {'type': 'integer'}}",
    "{'prompt': 'p', 'image': 'data:,', 'n': '1', 'steps': '7'}",
    "{'prompt': 'p', 'image': 'data:,', 'steps': 7}", "" },
  { VEND_OPENAI_EDITS, "{" PROMPT ", 'images': " FILES "}",
    "{'prompt': 'p', 'image': ['data:,a', 'data:,b']}",
    "{'prompt': 'p', 'images': ['data:,a', 'data:,b']}", "" },
  { VEND_OPENAI_EDITS, "{" PROMPT ", 'image': " FILE_URI "}",
    "{'prompt': 'p', 'image': 'data:,', 'mask': 'data:,'}", NULL, "mask" },
  { VEND_OPENAI_SPEECH, "{'text': " TEXT ", 'speed': {}}",
    "{'input': 't', 'voice': 'alloy', 'speed': 2}", "{'text': 't', 'speed': 2}", "voice" },
  { VEND_OPENAI_SPEECH, "{'text': " TEXT ", 'voice': {'enum': ['low']}}",
    "{'input': 't', 'voice': 'fable'}", "{'text': 't'}", "voice" },
  { VEND_OPENAI_SPEECH, "{'text': " TEXT ", 'voice': {'enum': ['low']}}",
    "{'input': 't', 'voice': 'low'}", "{'text': 't', 'voice': 'low'}", "" },
  { VEND_OPENAI_SPEECH, "{'text': " TEXT ", 'voice': " TEXT "}", "{'input': 't', 'voice': 'fable'}",
    "{'text': 't', 'voice': 'fable'}", "" },
  { VEND_OPENAI_SPEECH, "{'text': " TEXT "}", "{'input': 't', 'stream_format': 'sse'}", NULL,
    "stream_format" },
  { VEND_OPENAI_TRANSCRIPTIONS, "{'audio': " FILE_URI ", 'temperature': {}, 'language': {}}",
    "{'file': 'data:,', 'temperature': '0.5', 'language': 'de', 'prompt': 'x'}",
    "{'audio': 'data:,', 'temperature': 0.5, 'language': 'de'}", "prompt" },
  { VEND_OPENAI_TRANSCRIPTIONS, "{'audio': " FILE_URI "}", "{'file': 'data:,', 'stream': 'true'}",
    NULL, "stream" },
  { VEND_OPENAI_TRANSCRIPTIONS, "{'audio': " FILE_URI "}", "{}", NULL, "file" },
  { VEND_OPENAI_TRANSLATIONS, "{'audio': " FILE_URI ", 'translate': {'type': 'boolean'}}",
    "{'file': 'data:,'}", "{'audio': 'data:,', 'translate': true}", "" },
  { VEND_OPENAI_TRANSLATIONS, "{'audio': " FILE_URI "}", "{'file': 'data:,'}", NULL, "model" },
  { VEND_OPENAI_VIDEOS, "{" PROMPT ", 'duration': {}, 'image': " FILE_URI "}",
    "{'prompt': 'p', 'seconds': '8', 'input_reference': 'data:,'}",
    "{'prompt': 'p', 'duration': 8, 'image': 'data:,'}", "" },
  { VEND_OPENAI_VIDEOS, "{" PROMPT ", 'duration': {}}", "{'prompt': 'p', 'seconds': 'x'}", NULL,
    "seconds" },
};

static bool
read_any (VendOpenaiEndpoint endpoint, const VendOpenaiModel *model, const json_t *body,
          VendOpenaiAsk *ask, json_t **options, VendOpenaiFault *fault)
{
  switch (endpoint)
    {
    case VEND_OPENAI_SPEECH:
      return vend_openai_read_speech (model, body, ask, fault);
    case VEND_OPENAI_VIDEOS:
      return vend_openai_read_video (model, body, ask, options, fault);
    case VEND_OPENAI_TRANSCRIPTIONS:
    case VEND_OPENAI_TRANSLATIONS:
      return vend_openai_read_transcription (model, endpoint, body, ask, options, fault);
    default:
      return vend_openai_read_images (model, endpoint, body, ask, options, fault);
    }
}

static void
test_requests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *openapi = version_of (cases[i].inputs, FILE_URI);
      json_auto_t *body = quoted (cases[i].body);
      json_auto_t *options = NULL;
      const VendOpenaiModel model = { openapi, NULL };
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      const bool good = read_any (cases[i].endpoint, &model, body, &ask, &options, &fault);
      g_assert_true (good == (cases[i].input != NULL));
      g_assert_cmpstr (good ? ask.ignored->str : fault.param, ==, cases[i].told);
      json_auto_t *expected = good ? quoted (cases[i].input) : json_incref (ask.input);
      g_assert_true (json_equal (ask.input, expected));
    }
}

static void
test_numbers (void)
{
  static const char *const texts[][2] = {
    { "'7'", "7" }, { "'0.5'", "0.5" }, { "'x'", "'x'" }, { "'1e999'", "'1e999'" }, { "3", "3" }
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *given = quoted (texts[i][0]);
      json_auto_t *expected = quoted (texts[i][1]);
      json_auto_t *number = vend_openai_number (given);
      g_assert_true (json_equal (number, expected));
    }
}

static void
test_jobs (void)
{
  static const struct
  {
    VendStatus status;
    const char *name;
  } states[] = { { VEND_STATUS_STARTING, "queued" },
                 { VEND_STATUS_PROCESSING, "in_progress" },
                 { VEND_STATUS_SUCCEEDED, "completed" },
                 { VEND_STATUS_FAILED, "failed" },
                 { VEND_STATUS_CANCELED, "failed" } };
  json_auto_t *input = quoted ("{'prompt': 'p', 'duration': 8, 'size': '1x1'}");
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      const VendPrediction prediction = {
        .id = (char *) "run", .model = (char *) "o/n", .status = states[i].status, .input = input
      };
      json_auto_t *video = vend_openai_video (&prediction);
      g_assert_cmpstr (vend_json_string (video, "id"), ==, "video_run");
      g_assert_cmpstr (vend_json_string (video, "status"), ==, states[i].name);
      g_assert_cmpstr (vend_json_string (video, "seconds"), ==, "8");
      g_assert_true (json_is_null (json_object_get (video, "error"))
                     == (g_strcmp0 (states[i].name, "failed") != 0));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/media/requests", test_requests);
  g_test_add_func ("/openai/media/numbers", test_numbers);
  g_test_add_func ("/openai/media/jobs", test_jobs);
  return g_test_run ();
}
