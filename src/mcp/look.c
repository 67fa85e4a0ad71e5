/* A prediction of the caller, as it is now: from the core thread while it runs, else from its
 * row. */
#include "base/error.h"
#include "mcp/mcp-private.h"
#include "store/predictions.h"

typedef struct
{
  McpRequest *request;
  char *id;
  McpLooked done;
  VendPrediction *now;
  GError *error;
} Look;

static void
look_free (Look *look)
{
  mcp_request_unref (look->request);
  g_free (look->id);
  vend_prediction_free (look->now);
  g_clear_error (&look->error);
  g_free (look);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Look, look_free)

bool
mcp_load_prediction (McpRequest *request, const char *id, VendPrediction **out, GError **error)
{
  g_autoptr (VendPrediction) row = NULL;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!vend_store_prediction_get (reader.db, id, &row, error))
    return false;
  if (row->account_id != request->caller->account->id || row->kind == VEND_KIND_TRAINING)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no prediction '%s'", id);
  *out = g_steal_pointer (&row);
  return true;
}

static bool
load (Look *look, GError **error)
{
  g_autoptr (VendPrediction) row = NULL;
  if (!mcp_load_prediction (look->request, look->id, &row, error))
    return false;
  g_clear_pointer (&look->now, vend_prediction_free);
  look->now = g_steal_pointer (&row);
  return true;
}

static void
tell (void *data)
{
  g_autoptr (Look) look = data;
  look->done (look->request, look->error == NULL ? look->now : NULL, look->error);
}

/* It has ended meanwhile, or its end is not stored yet. */
static void
tell_stored (void *data)
{
  Look *look = data;
  g_clear_error (&look->error);
  if (!load (look, &look->error))
    g_clear_pointer (&look->now, vend_prediction_free);
  tell (look);
}

/* Core thread. */
static void
notified (const VendPrediction *now, const GError *error, void *data)
{
  Look *look = data;
  if (now != NULL)
    {
      vend_prediction_free (look->now);
      look->now = vend_prediction_copy (now);
    }
  vend_later_run (look->request->api->later, VEND_LANE_REPLIES, now != NULL ? tell : tell_stored,
                  look);
}

void
mcp_look (McpRequest *request, const char *id, bool cancels, McpLooked done)
{
  g_autoptr (Look) look = g_new0 (Look, 1);
  VendSched *sched = request->api->parts.sched;
  look->request = mcp_request_ref (request);
  look->id = g_strdup (id);
  look->done = done;
  if (!load (look, &look->error) || vend_status_is_terminal (look->now->status))
    tell (g_steal_pointer (&look));
  else if (cancels)
    vend_sched_cancel (sched, id, notified, g_steal_pointer (&look));
  else
    vend_sched_peek (sched, id, notified, g_steal_pointer (&look));
}
