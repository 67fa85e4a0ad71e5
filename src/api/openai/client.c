/* Clients that wait for runs, and leave. */
#include "api/openai/client.h"
#include "base/clock.h"

struct VendOpenaiClient
{
  VendApi *api;
  GPtrArray *ids;
  bool may_return;
  bool has_left;
};

VendOpenaiClient *
vend_openai_client_new (VendApi *api, bool may_return)
{
  VendOpenaiClient *client = g_new0 (VendOpenaiClient, 1);
  *client = (VendOpenaiClient){ .api = api,
                                .ids = g_ptr_array_new_with_free_func (g_free),
                                .may_return = may_return };
  return client;
}

void
vend_openai_client_wait_for (VendOpenaiClient *client, const char *id)
{
  g_ptr_array_add (client->ids, g_strdup (id));
  vend_openai_followers_join (client->api->openai_followers, id);
}

static void
canceled (const VendPrediction *now, const GError *error, void *data)
{
}

void
vend_openai_cancel_run (VendApi *api, const char *id)
{
  vend_sched_cancel (api->parts.sched, id, canceled, NULL);
}

/* A server that stops closes its connections too, and its runs go on. */
static bool
cancels (const VendApi *api)
{
  return vend_settings_bool (api->parts.settings, "openai-cancel")
         && g_atomic_int_get (&api->ready);
}

void
vend_openai_client_left (void *data)
{
  VendOpenaiClient *client = data;
  VendApi *api = client->api;
  const int64_t due_us = vend_steady_us () + VEND_OPENAI_RETURN_US;
  client->has_left = true;
  for (guint i = 0; i < client->ids->len; i++)
    {
      const char *id = g_ptr_array_index (client->ids, i);
      if (client->may_return)
        vend_openai_followers_leave_until (api->openai_followers, id, due_us);
      else if (vend_openai_followers_leave (api->openai_followers, id) && cancels (api))
        vend_openai_cancel_run (api, id);
    }
}

void
vend_openai_client_free (void *data)
{
  VendOpenaiClient *client = data;
  if (client == NULL)
    return;
  for (guint i = 0; !client->has_left && i < client->ids->len; i++)
    (void) vend_openai_followers_leave (client->api->openai_followers,
                                        g_ptr_array_index (client->ids, i));
  g_ptr_array_unref (client->ids);
  g_free (client);
}

void
vend_openai_cancel_deserted (VendApi *api)
{
  g_autoptr (GPtrArray) ids
      = vend_openai_followers_take_deserted (api->openai_followers, vend_steady_us ());
  for (guint i = 0; i < ids->len && cancels (api); i++)
    vend_openai_cancel_run (api, g_ptr_array_index (ids, i));
}
