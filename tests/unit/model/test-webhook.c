/* The rules of webhooks: filters, ids, lanes, rhythm, tries. */
#include "model/webhook.h"
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)

static void
test_filters (void)
{
  static const struct
  {
    const char *json;
    guint events;
  } cases[] = {
    { "null", VEND_WEBHOOK_OUTPUT | VEND_WEBHOOK_COMPLETED },
    { "[]", VEND_WEBHOOK_OUTPUT | VEND_WEBHOOK_COMPLETED },
    { "[\"start\"]", VEND_WEBHOOK_START },
    { "[\"logs\", \"logs\", \"completed\"]", VEND_WEBHOOK_LOGS | VEND_WEBHOOK_COMPLETED },
    { "[\"start\", \"output\", \"logs\", \"completed\"]", 15 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *filter = NULL;
      g_assert_true (vend_json_parse (cases[i].json, strlen (cases[i].json), &filter, NULL));
      g_assert_cmpuint (vend_webhook_events (filter), ==, cases[i].events);
    }
  g_assert_cmpuint (vend_webhook_events (NULL), ==, cases[0].events);
}

static void
test_names (void)
{
  VendWebhookEvent event;
  VendDeliveryState state;
  for (guint i = 0; i < 4; i++)
    {
      g_assert_true (
          vend_webhook_event_parse (vend_webhook_event_name ((VendWebhookEvent) (1 << i)), &event));
      g_assert_cmpint (event, ==, 1 << i);
      g_assert_true (
          vend_delivery_state_parse (vend_delivery_state_name ((VendDeliveryState) i), &state));
      g_assert_cmpint (state, ==, i);
    }
  g_assert_false (vend_webhook_event_parse ("sometimes", &event));
  g_assert_false (vend_webhook_event_parse (NULL, &event));
  g_assert_false (vend_delivery_state_parse ("lost", &state));
}

static void
test_ids (void)
{
  g_autofree char *one = vend_delivery_id_new (1);
  g_autofree char *two = vend_delivery_id_new (2);
  g_autofree char *later = vend_delivery_id_new (G_MAXINT64);
  g_assert_true (g_str_has_prefix (one, "msg_"));
  g_assert_cmpint (strcmp (one, two), <, 0);
  g_assert_cmpint (strcmp (two, later), <, 0);
  g_assert_cmpint (strcmp (later, "n"), <, 0);
  g_assert_cmpuint (strlen (one), ==, strlen (later));
}

static void
test_lanes (void)
{
  static const struct
  {
    const char *url, *lane;
  } cases[] = {
    { "https://Example.com/a?b#c", "7/example.com" },
    { "http://example.com:8080", "7/example.com:8080" },
    { "http://[::1]:80?x", "7/[::1]:80" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *lane = vend_webhook_lane (7, cases[i].url);
      g_assert_cmpstr (lane, ==, cases[i].lane);
    }
  g_autofree char *name = g_strnfill (6000, 'a');
  g_autofree char *url = g_strconcat ("https://", name, "/", NULL);
  g_autofree char *lane = vend_webhook_lane (7, url);
  g_assert_cmpuint (strlen (lane), <, 400);
}

static void
test_rhythm (void)
{
  const int64_t now = 1000 * S;
  g_assert_cmpint (vend_webhook_throttle_us (0, now), ==, now);
  g_assert_cmpint (vend_webhook_throttle_us (now, now), ==, now + VEND_WEBHOOK_INTERVAL_US);
  g_assert_cmpint (vend_webhook_throttle_us (now - 1, now), ==, now - 1 + VEND_WEBHOOK_INTERVAL_US);
  g_assert_cmpint (vend_webhook_throttle_us (now - VEND_WEBHOOK_INTERVAL_US, now), ==, now);
  g_assert_cmpint (vend_webhook_throttle_us (now - 60 * S, now), ==, now);
  /* The clock was set back. */
  g_assert_cmpint (vend_webhook_throttle_us (now + 3600 * S, now), ==, now);
}

/* All tries of a receiver that never answers, each of which takes no time. */
static void
test_tries (void)
{
  static const int64_t first[] = { 1, 3, 7, 15, 31, 61, 121, 241, 541, 1141, 2941, 6541, 10141 };
  const int64_t since = 50 * S;
  int64_t now = since;
  guint tries = 0, in_first_minute = 0;
  for (;;)
    {
      int64_t next = vend_webhook_retry_us (++tries, since, now, S);
      if (next == 0)
        break;
      g_assert_cmpint (next, >, now);
      if (tries <= G_N_ELEMENTS (first))
        g_assert_cmpint (next - since, ==, first[tries - 1] * S);
      now = next;
      in_first_minute += now - since < 60 * S;
      g_assert_cmpuint (tries, <, 100);
    }
  g_assert_cmpuint (in_first_minute, >=, 5);
  g_assert_cmpint (now - since, <=, VEND_WEBHOOK_LIFE_UNITS * S);
  g_assert_cmpint (now - since, >, (VEND_WEBHOOK_LIFE_UNITS - 3600) * S);
  /* The unit scales all of it. */
  g_assert_cmpint (vend_webhook_retry_us (3, 0, 0, 1000), ==, 4000);
  g_assert_cmpint (vend_webhook_retry_us (1, 0, VEND_WEBHOOK_LIFE_UNITS * 1000, 1000), ==, 0);
}

static void
test_secrets (void)
{
  g_autofree char *one = vend_webhook_secret_new ();
  g_autofree char *two = vend_webhook_secret_new ();
  gsize size = 0;
  g_assert_cmpstr (one, !=, two);
  g_assert_true (g_str_has_prefix (one, "whsec_"));
  /* Validators split at the underscore. */
  g_assert_true (strchr (one, '_') == strrchr (one, '_'));
  g_autofree guchar *bytes = g_base64_decode (one + 6, &size);
  g_assert_nonnull (bytes);
  g_assert_cmpuint (size, >=, 24);
}

static void
test_shown (void)
{
  VendDelivery delivery = { .id = (char *) "msg_1",
                            .prediction = (char *) "p",
                            .event = VEND_WEBHOOK_COMPLETED,
                            .url = (char *) "https://example.com/",
                            .state = VEND_DELIVERY_DEAD,
                            .tries = 4,
                            .due_us = 5 * S,
                            .created_us = 1 * S,
                            .ended_us = 9 * S };
  json_auto_t *dead = vend_delivery_to_json (&delivery);
  g_assert_true (json_is_null (json_object_get (dead, "next_try_at")));
  g_assert_true (json_is_null (json_object_get (dead, "last_status")));
  g_assert_cmpstr (vend_json_string (dead, "completed_at"), ==, "1970-01-01T00:00:09.000000Z");
  delivery.state = VEND_DELIVERY_PENDING;
  delivery.last_status = 500;
  json_auto_t *pending = vend_delivery_to_json (&delivery);
  g_assert_cmpstr (vend_json_string (pending, "next_try_at"), ==, "1970-01-01T00:00:05.000000Z");
  g_assert_cmpint (vend_json_int (pending, "last_status", 0), ==, 500);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/webhook/filters", test_filters);
  g_test_add_func ("/webhook/names", test_names);
  g_test_add_func ("/webhook/ids", test_ids);
  g_test_add_func ("/webhook/lanes", test_lanes);
  g_test_add_func ("/webhook/rhythm", test_rhythm);
  g_test_add_func ("/webhook/tries", test_tries);
  g_test_add_func ("/webhook/secrets", test_secrets);
  g_test_add_func ("/webhook/shown", test_shown);
  return g_test_run ();
}
