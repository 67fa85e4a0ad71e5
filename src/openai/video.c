/* Videos: a prediction is such a job. */
#include "openai/video.h"
#include "base/clock.h"
#include "openai/chunks.h"

static const char *
status_of (const VendPrediction *prediction)
{
  switch (prediction->status)
    {
    case VEND_STATUS_STARTING:
      return "queued";
    case VEND_STATUS_PROCESSING:
      return "in_progress";
    case VEND_STATUS_SUCCEEDED:
      return "completed";
    default:
      return "failed";
    }
}

/* What was asked for, as text, by the names that models give it. */
static void
set_asked (json_t *video, const char *key, const json_t *input, const char *const *names)
{
  for (; *names != NULL; names++)
    {
      const json_t *value = json_object_get (input, *names);
      if (json_is_string (value))
        json_object_set (video, key, (json_t *) value);
      else if (json_is_number (value))
        {
          g_autofree char *text = vend_json_text (value);
          vend_json_set_string (video, key, text);
        }
    }
}

json_t *
vend_openai_video (const VendPrediction *prediction)
{
  static const char *const seconds[] = { "video_length", "duration", "seconds", NULL };
  static const char *const size[] = { "size", NULL };
  static const char *const prompt[] = { "prompt", NULL };
  const bool is_over = vend_status_is_terminal (prediction->status);
  const bool is_there = prediction->status == VEND_STATUS_SUCCEEDED;
  json_t *video = json_object ();
  json_object_set_new (video, "id", json_sprintf (VEND_OPENAI_VIDEO_PREFIX "%s", prediction->id));
  vend_json_set_string (video, "object", "video");
  vend_json_set_string (video, "model", prediction->model);
  vend_json_set_string (video, "status", status_of (prediction));
  vend_json_set_int (video, "progress", is_there ? 100 : 0);
  vend_json_set_int (video, "created_at", prediction->created_us / VEND_US_PER_S);
  json_object_set_new (video, "completed_at",
                       is_there ? json_integer (prediction->completed_us / VEND_US_PER_S)
                                : json_null ());
  json_object_set_new (video, "expires_at", json_null ());
  json_object_set_new (video, "remixed_from_video_id", json_null ());
  set_asked (video, "seconds", prediction->input, seconds);
  set_asked (video, "size", prediction->input, size);
  set_asked (video, "prompt", prediction->input, prompt);
  json_object_set_new (video, "error", json_null ());
  if (is_over && !is_there)
    {
      int status = 0;
      json_auto_t *error = vend_openai_run_error (prediction, &status);
      const json_t *inner = json_object_get (error, "error");
      json_t *own = json_object ();
      json_object_set (own, "code", json_object_get (inner, "code"));
      json_object_set (own, "message", json_object_get (inner, "message"));
      json_object_set_new (video, "error", own);
    }
  return video;
}
