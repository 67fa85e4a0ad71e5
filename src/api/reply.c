/* Where replies of predictions are made. */
#include "api/api-private.h"
#include <string.h>

/* Of an input, an output and logs each: takes an HTTP thread well below a millisecond. */
#define SHORT_TEXT ((gsize) 16 * 1024)

typedef struct
{
  VendCall *call;
  VendReplyMaker make;
  void *data;
} Job;

static void
reply (void *data)
{
  g_autofree Job *job = data;
  vend_call_reply (job->call, job->make (job->data));
}

static bool
is_short (const VendPrediction *now)
{
  return vend_json_is_short (now->input, SHORT_TEXT) && vend_json_is_short (now->output, SHORT_TEXT)
         && vend_json_is_short (now->metrics, SHORT_TEXT)
         && (now->logs == NULL || strnlen (now->logs, SHORT_TEXT) < SHORT_TEXT)
         && (now->error == NULL || strnlen (now->error, SHORT_TEXT) < SHORT_TEXT);
}

void
vend_api_reply_made (VendApi *api, VendCall *call, const VendPrediction *now, VendReplyMaker make,
                     void *data)
{
  if (is_short (now))
    {
      vend_call_reply_made (call, make, data);
      return;
    }
  Job *job = g_new0 (Job, 1);
  *job = (Job){ call, make, data };
  vend_later_run (api->later, VEND_LANE_REPLIES, reply, job);
}
