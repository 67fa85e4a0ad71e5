/* Transcripts: texts, subtitles, and the long form with its segments. */
#include "openai/transcript.h"
#include <math.h>
#include <string.h>

/* Longer times have no place in subtitles. */
#define MAX_SECONDS (1000.0 * 3600)

char *
vend_openai_transcript_text (const json_t *output)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  size_t i;
  json_t *piece;
  const char *text = vend_json_string (output, "text");
  if (text == NULL)
    text = vend_json_string (output, "transcription");
  if (text == NULL)
    text = json_string_value (output);
  if (text != NULL)
    return g_strdup (text);
  json_array_foreach ((json_t *) output, i, piece)
    if (json_is_string (piece))
      g_string_append (joined, json_string_value (piece));
  return g_string_free (g_steal_pointer (&joined), FALSE);
}

static double
seconds_of (const json_t *object, const char *key, double fallback)
{
  const json_t *value = json_object_get (object, key);
  const double number = json_is_number (value) ? json_number_value (value) : fallback;
  return number >= 0 && number <= MAX_SECONDS ? number : fallback;
}

static double
duration_of (const json_t *output, const json_t *metrics)
{
  const double said = seconds_of (output, "duration", seconds_of (output, "seconds", -1));
  return said >= 0 ? said : seconds_of (metrics, "audio_seconds", 0);
}

/* With what clients require of each. */
static json_t *
segment_of (const json_t *given, size_t i, double start, double end, const char *text)
{
  json_t *segment = json_object ();
  vend_json_set_int (segment, "id", (int64_t) i);
  json_object_set_new (segment, "seek", json_integer (0));
  json_object_set_new (segment, "start", json_real (start));
  json_object_set_new (segment, "end", json_real (end));
  vend_json_set_string (segment, "text", text);
  json_object_set_new (segment, "tokens", json_array ());
  json_object_set_new (segment, "temperature", json_real (0));
  json_object_set_new (segment, "avg_logprob", json_real (0));
  json_object_set_new (segment, "compression_ratio", json_real (0));
  json_object_set_new (segment, "no_speech_prob", json_real (0));
  if (given != NULL)
    json_object_update_existing (segment, (json_t *) given);
  json_object_set_new (segment, "start", json_real (start));
  json_object_set_new (segment, "end", json_real (end));
  vend_json_set_string (segment, "text", text);
  return segment;
}

/* Those of the model, else one from the first word to the last. */
static json_t *
segments_of (const json_t *output, const json_t *metrics)
{
  json_t *segments = json_array ();
  const json_t *given = json_object_get (output, "segments");
  const json_t *words = json_object_get (output, "words");
  size_t i;
  json_t *one;
  json_array_foreach ((json_t *) given, i, one)
    {
      const char *text = vend_json_string (one, "text");
      const double start = seconds_of (one, "start", 0);
      json_array_append_new (segments,
                             segment_of (one, i, start, MAX (seconds_of (one, "end", start), start),
                                         text != NULL ? text : ""));
    }
  if (json_array_size (segments) > 0)
    return segments;
  g_autofree char *text = vend_openai_transcript_text (output);
  const size_t n = json_array_size (words);
  const double start = seconds_of (json_array_get (words, 0), "start", 0);
  const double end = seconds_of (n > 0 ? json_array_get (words, n - 1) : NULL, "end",
                                 duration_of (output, metrics));
  json_array_append_new (segments, segment_of (NULL, 0, start, MAX (start, end), text));
  return segments;
}

static json_t *
words_of (const json_t *output)
{
  json_t *words = json_array ();
  size_t i;
  json_t *given;
  json_array_foreach (json_object_get (output, "words"), i, given)
    {
      const char *word = vend_json_string (given, "word");
      if (word == NULL)
        word = vend_json_string (given, "text");
      json_t *own = json_object ();
      vend_json_set_string (own, "word", word != NULL ? word : "");
      json_object_set_new (own, "start", json_real (seconds_of (given, "start", 0)));
      json_object_set_new (own, "end", json_real (seconds_of (given, "end", 0)));
      json_array_append_new (words, own);
    }
  return words;
}

json_t *
vend_openai_transcript (const json_t *output, const json_t *metrics, const json_t *options)
{
  g_autofree char *text = vend_openai_transcript_text (output);
  const char *language = vend_json_string (output, "language");
  json_t *transcript = json_object ();
  vend_json_set_string (transcript, "text", text);
  if (g_strcmp0 (vend_json_string (options, "format"), "verbose_json") != 0)
    return transcript;
  if (language == NULL)
    language = vend_json_string (output, "detected_language");
  vend_json_set_string (transcript, "task", vend_json_string (options, "task"));
  vend_json_set_string (transcript, "language", language != NULL ? language : "");
  json_object_set_new (transcript, "duration", json_real (duration_of (output, metrics)));
  json_object_set_new (transcript, "segments", segments_of (output, metrics));
  if (json_object_get (output, "words") != NULL)
    json_object_set_new (transcript, "words", words_of (output));
  return transcript;
}

/* "00:00:01,500" for srt, with a point for vtt. */
static void
append_time (GString *to, double seconds, char point)
{
  const int64_t ms = (int64_t) llround (seconds * 1000);
  g_string_append_printf (to,
                          "%02" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT
                          "%c%03" G_GINT64_FORMAT,
                          ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, point, ms % 1000);
}

/* An empty line would end it, and an arrow begin another. */
static void
append_cue (GString *to, const char *text)
{
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) parts = g_strsplit (g_strstrip (*line), "-->", -1);
      g_autofree char *clean = g_strjoinv ("->", parts);
      if (*clean != '\0')
        g_string_append_printf (to, "%s\n", clean);
    }
  g_string_append_c (to, '\n');
}

char *
vend_openai_subtitles (const json_t *output, const json_t *metrics, const char *format)
{
  const bool is_srt = strcmp (format, "srt") == 0;
  const char point = is_srt ? ',' : '.';
  g_autoptr (GString) text = g_string_new (is_srt ? NULL : "WEBVTT\n\n");
  json_auto_t *segments = segments_of (output, metrics);
  size_t i;
  json_t *segment;
  json_array_foreach (segments, i, segment)
    {
      if (is_srt)
        g_string_append_printf (text, "%zu\n", i + 1);
      append_time (text, seconds_of (segment, "start", 0), point);
      g_string_append (text, " --> ");
      append_time (text, seconds_of (segment, "end", 0), point);
      g_string_append_c (text, '\n');
      append_cue (text, vend_json_string (segment, "text"));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
