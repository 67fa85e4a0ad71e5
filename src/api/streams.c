/* Event streams. The URL is the capability: no token is needed. */
#include "api/api-private.h"
#include "api/create.h"
#include "base/clock.h"
#include "base/error.h"
#include "events/broadcast.h"
#include "events/format.h"
#include "store/predictions.h"

typedef struct
{
  VendApi *api;
  VendCall *call;
  char *id;
  int64_t created_us;
} Follower;

static void
follower_free (Follower *follower)
{
  g_free (follower->id);
  g_free (follower);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Follower, follower_free)

static guint64
last_seen (VendCall *call, int64_t created_us)
{
  return vend_event_number (vend_call_header (call, "Last-Event-ID"), created_us / VEND_US_PER_S);
}

static VendReply *
data_removed (void)
{
  return vend_api_problem (410, "Gone", "The data of this prediction have been removed.");
}

/* From the row on disk. A client that has seen the last event is told not to reconnect. */
static VendReply *
replay (VendApi *api, VendCall *call, const VendPrediction *ended)
{
  if (ended->data_removed)
    return data_removed ();
  g_autoptr (VendBroadcast) broadcast = vend_replays_get (api->replays, ended);
  const guint64 after = last_seen (call, ended->created_us);
  if (after > 0 && vend_broadcast_is_read (broadcast, after))
    return vend_reply_empty (204);
  return vend_broadcast_reply (broadcast, after, vend_call_origin (call));
}

/* The prediction ended between our look at the disk and the question. */
static void
reply_ended (void *data)
{
  g_autoptr (Follower) follower = data;
  VendCall *call = follower->call;
  g_autoptr (VendPrediction) ended = NULL;
  g_autoptr (GError) error = NULL;
  {
    g_auto (VendReader) reader = vend_reader (follower->api->parts.store);
    if (!vend_store_prediction_get (reader.db, follower->id, &ended, &error))
      ended = NULL;
  }
  if (ended == NULL)
    vend_call_reply (call, vend_reply_error (error));
  else
    vend_call_reply (call, replay (follower->api, call, ended));
}

static void
followed (VendBroadcast *broadcast, void *data)
{
  g_autoptr (Follower) follower = data;
  VendCall *call = follower->call;
  if (broadcast != NULL)
    {
      const guint64 after = last_seen (call, follower->created_us);
      vend_call_reply (call, vend_broadcast_reply (broadcast, after, vend_call_origin (call)));
      return;
    }
  VendLater *later = follower->api->later;
  vend_later_run (later, VEND_LANE_REPLIES, reply_ended, g_steal_pointer (&follower));
}

static bool
get_stream (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *id = vend_stream_token_id (vend_call_param (call, "token"));
  g_autoptr (VendPrediction) prediction = NULL;
  if (id == NULL)
    return vend_api_not_found (error);
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_prediction_get (reader.db, id, &prediction, error))
      return false;
  }
  if (vend_status_is_terminal (prediction->status))
    {
      *out = replay (api, call, prediction);
      return true;
    }
  Follower *follower = g_new0 (Follower, 1);
  *follower = (Follower){ api, call, g_steal_pointer (&id), prediction->created_us };
  vend_sched_follow (api->parts.sched, follower->id, followed, follower);
  return true;
}

const ApiRoute vend_api_stream_routes[] = {
  { "GET", "/v1/streams/{token}", 0, VEND_BODY_NONE, get_stream, NULL, .runs_on = VEND_RUN_READ },
  { "GET", "/v1/files/stream-{token}", 0, VEND_BODY_NONE, get_stream, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
