/* Calls at the end of a turn: once each, work before sending, after what was ready, without a poll
 * in between. */
#include "base/deferred.h"

typedef struct
{
  GString *said;
  VendDeferred *work;
  VendDeferred *send;
  guint again;
} Turn;

static guint n_polls;
static gint last_timeout_ms;

static gint
count_poll (GPollFD *fds, guint n, gint timeout_ms)
{
  n_polls++;
  last_timeout_ms = timeout_ms;
  return g_poll (fds, n, timeout_ms);
}

static void
work (void *data)
{
  Turn *turn = data;
  g_string_append (turn->said, "work ");
  vend_deferred_request (turn->send);
  if (turn->again > 0)
    {
      turn->again--;
      vend_deferred_request (turn->work);
    }
}

static void
send_all (void *data)
{
  g_string_append (((Turn *) data)->said, "send ");
}

static gboolean
on_ready (void *data)
{
  Turn *turn = data;
  g_string_append (turn->said, "ready ");
  vend_deferred_request (turn->work);
  vend_deferred_request (turn->work);
  return G_SOURCE_REMOVE;
}

static void
in_order (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GString) said = g_string_new (NULL);
  Turn turn = { .said = said, .again = 1 };
  g_main_context_set_poll_func (context, count_poll);
  /* Made in the other order: what counts is what they are for. */
  turn.send = vend_deferred_new (context, VEND_DEFERRED_SEND, send_all, &turn);
  turn.work = vend_deferred_new (context, VEND_DEFERRED_WORK, work, &turn);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GSource) source = g_idle_source_new ();
      g_source_set_priority (source, G_PRIORITY_DEFAULT);
      g_source_set_callback (source, on_ready, &turn, NULL);
      g_source_attach (source, context);
    }

  n_polls = 0;
  g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (said->str, ==, "ready ready ");
  g_main_context_iteration (context, TRUE);
  g_assert_cmpstr (said->str, ==, "ready ready work send ");
  g_assert_cmpuint (n_polls, ==, 2);
  /* What was asked for inside comes with the next turn, for which the loop does not wait. */
  g_assert_cmpint (last_timeout_ms, ==, 0);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (said->str, ==, "ready ready work send work send ");
  vend_deferred_free (turn.work);
  vend_deferred_free (turn.send);
}

static void
free_itself (void *data)
{
  VendDeferred **deferred = data;
  g_clear_pointer (deferred, vend_deferred_free);
}

static void
freed_inside (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  VendDeferred *deferred = NULL;
  deferred = vend_deferred_new (context, VEND_DEFERRED_WORK, free_itself, &deferred);
  vend_deferred_request (deferred);
  g_main_context_iteration (context, FALSE);
  g_assert_null (deferred);
  g_main_context_iteration (context, FALSE);
}

static void
taken_back (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GString) said = g_string_new (NULL);
  Turn turn = { .said = said };
  turn.send = vend_deferred_new (context, VEND_DEFERRED_SEND, send_all, &turn);
  vend_deferred_request (turn.send);
  vend_deferred_free (turn.send);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (said->str, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deferred/in-order", in_order);
  g_test_add_func ("/deferred/freed-inside", freed_inside);
  g_test_add_func ("/deferred/taken-back", taken_back);
  return g_test_run ();
}
