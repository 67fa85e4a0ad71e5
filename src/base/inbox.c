/* A queue of calls for one GMainContext. */
#include "base/inbox.h"
#include "base/turns.h"
#include <pthread.h>

/* Limit of calls in one dispatch; the rest waits a turn, so that sockets and timers are not
 * starved. */
#define MAX_PER_TURN 256

typedef struct
{
  VendInboxCall call;
  void *data;
} Post;

typedef struct
{
  GSource base;
  VendInbox *inbox;
} InboxSource;

struct VendInbox
{
  GMainContext *context;
  GSource *source;
  pthread_mutex_t lock;
  GArray *posts; /* of Post; guarded by lock */
  GArray *turn;  /* taken from posts; the context's thread only */
  guint next;    /* in `turn` */
};

static gboolean
dispatch (GSource *source, GSourceFunc unused, void *unused_data)
{
  VendInbox *inbox = ((InboxSource *) source)->inbox;
  vend_turn_does ("call of another thread");
  if (inbox->next == inbox->turn->len)
    {
      g_array_set_size (inbox->turn, 0);
      inbox->next = 0;
      pthread_mutex_lock (&inbox->lock);
      GArray *filled = inbox->posts;
      inbox->posts = inbox->turn;
      inbox->turn = filled;
      g_source_set_ready_time (source, -1);
      pthread_mutex_unlock (&inbox->lock);
    }
  for (guint i = 0; i < MAX_PER_TURN && inbox->next < inbox->turn->len; i++)
    {
      Post post = g_array_index (inbox->turn, Post, inbox->next++);
      post.call (post.data);
    }
  if (inbox->next < inbox->turn->len)
    g_source_set_ready_time (source, 0);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

VendInbox *
vend_inbox_new (GMainContext *context)
{
  VendInbox *inbox = g_new0 (VendInbox, 1);
  inbox->context = g_main_context_ref (context);
  pthread_mutex_init (&inbox->lock, NULL);
  inbox->posts = g_array_new (FALSE, FALSE, sizeof (Post));
  inbox->turn = g_array_new (FALSE, FALSE, sizeof (Post));
  inbox->source = g_source_new (&source_funcs, sizeof (InboxSource));
  ((InboxSource *) inbox->source)->inbox = inbox;
  g_source_set_static_name (inbox->source, "inbox");
  g_source_attach (inbox->source, context);
  return inbox;
}

static bool
has_posts (VendInbox *inbox)
{
  pthread_mutex_lock (&inbox->lock);
  const bool has = inbox->next < inbox->turn->len || inbox->posts->len > 0;
  pthread_mutex_unlock (&inbox->lock);
  return has;
}

bool
vend_inbox_drain (VendInbox *inbox)
{
  bool ran = false;
  for (; has_posts (inbox); ran = true)
    dispatch (inbox->source, NULL, NULL);
  return ran;
}

void
vend_inbox_free (VendInbox *inbox)
{
  if (inbox == NULL)
    return;
  (void) vend_inbox_drain (inbox);
  g_source_destroy (inbox->source);
  g_source_unref (inbox->source);
  g_array_unref (inbox->posts);
  g_array_unref (inbox->turn);
  pthread_mutex_destroy (&inbox->lock);
  g_main_context_unref (inbox->context);
  g_free (inbox);
}

void
vend_inbox_post (VendInbox *inbox, VendInboxCall call, void *data)
{
  Post post = { call, data };
  pthread_mutex_lock (&inbox->lock);
  g_array_append_val (inbox->posts, post);
  if (inbox->posts->len == 1)
    g_source_set_ready_time (inbox->source, 0);
  pthread_mutex_unlock (&inbox->lock);
}
