/* Transcripts in all their forms. */
#include "openai/transcript.h"
#include "schemas.h"

static void
test_texts (void)
{
  static const char *const outputs[][2] = {
    { "'a b'", "a b" },
    { "['a', ' b', 7]", "a b" },
    { "{'text': 'a'}", "a" },
    { "{'transcription': 'a'}", "a" },
    { "{}", "" },
    { "null", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (outputs); i++)
    {
      json_auto_t *output = quoted (outputs[i][0]);
      g_autofree char *text = vend_openai_transcript_text (output);
      g_assert_cmpstr (text, ==, outputs[i][1]);
    }
}

static void
test_long_form (void)
{
  json_auto_t *output
      = quoted ("{'text': 'a b', 'language': 'en', 'segments': [{'start': 1, 'end': 2.5, 'text':"
                " 'a b', 'avg_logprob': -0.5, 'speaker': 'x'}], 'words': [{'text': 'a', 'start': 1,"
                " 'end': 2}, {'word': 'b'}]}");
  json_auto_t *metrics = quoted ("{'audio_seconds': 3}");
  json_auto_t *options = quoted ("{'format': 'verbose_json', 'task': 'transcribe'}");
  json_auto_t *whole = vend_openai_transcript (output, metrics, options);
  const json_t *segment = json_array_get (json_object_get (whole, "segments"), 0);
  json_auto_t *words = quoted (
      "[{'word': 'a', 'start': 1.0, 'end': 2.0}, {'word': 'b', 'start': 0.0, 'end': 0.0}]");
  g_assert_cmpstr (vend_json_string (whole, "language"), ==, "en");
  g_assert_cmpfloat (vend_json_double (whole, "duration", 0), ==, 3);
  g_assert_cmpuint (json_object_size (segment), ==, 10);
  g_assert_cmpfloat (vend_json_double (segment, "avg_logprob", 0), ==, -0.5);
  g_assert_true (json_equal (json_object_get (whole, "words"), words));
  json_auto_t *brief = quoted ("{'format': 'json'}");
  json_auto_t *short_form = vend_openai_transcript (output, metrics, brief);
  g_assert_cmpuint (json_object_size (short_form), ==, 1);
}

static void
test_subtitles (void)
{
  json_auto_t *output
      = quoted ("{'text': 'x', 'segments': [{'start': 0, 'end': 1.5, 'text':"
                " 'a\\n\\nb --> c'}, {'start': 3661.0005, 'end': 5, 'text': 'd'}]}");
  g_autofree char *srt = vend_openai_subtitles (output, NULL, "srt");
  g_autofree char *vtt = vend_openai_subtitles (output, NULL, "vtt");
  g_assert_cmpstr (srt, ==,
                   "1\n00:00:00,000 --> 00:00:01,500\na\nb -> c\n\n"
                   "2\n01:01:01,001 --> 01:01:01,001\nd\n\n");
  g_assert_true (g_str_has_prefix (vtt, "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na\n"));
}

static void
test_without_segments (void)
{
  json_auto_t *words = quoted ("{'text': 'a b', 'words': [{'text': 'a', 'start': 1, 'end': 2},"
                               " {'text': 'b', 'start': 2, 'end': 4}]}");
  json_auto_t *text = quoted ("'a b'");
  json_auto_t *metrics = quoted ("{'audio_seconds': 2}");
  g_autofree char *by_words = vend_openai_subtitles (words, NULL, "srt");
  g_autofree char *by_length = vend_openai_subtitles (text, metrics, "srt");
  g_assert_cmpstr (by_words, ==, "1\n00:00:01,000 --> 00:00:04,000\na b\n\n");
  g_assert_cmpstr (by_length, ==, "1\n00:00:00,000 --> 00:00:02,000\na b\n\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/transcript/texts", test_texts);
  g_test_add_func ("/openai/transcript/long-form", test_long_form);
  g_test_add_func ("/openai/transcript/subtitles", test_subtitles);
  g_test_add_func ("/openai/transcript/without-segments", test_without_segments);
  return g_test_run ();
}
