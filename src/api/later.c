/* Threads for work that would block HTTP workers or the core thread. */
#include "api/later.h"
#include "base/error.h"

/* Commits are grouped by the store, so many may wait for one; bytes keep disks and cores busy. */
static const struct
{
  const char *name;
  gint threads;
} lanes[VEND_LANES] = {
  [VEND_LANE_WRITES] = { "writes", 8 },   [VEND_LANE_BYTES] = { "uploads", 4 },
  [VEND_LANE_READS] = { "reads", 4 },     [VEND_LANE_FILES] = { "files", 16 },
  [VEND_LANE_REPLIES] = { "replies", 2 },
};

struct VendLater
{
  GThreadPool *pools[VEND_LANES];
};

typedef struct
{
  VendLaterWork work;
  void *data;
} Job;

static void
run (void *data, void *unused)
{
  g_autofree Job *job = data;
  job->work (job->data);
}

bool
vend_later_new (VendLater **out, GError **error)
{
  g_autoptr (VendLater) later = g_new0 (VendLater, 1);
  gint threads = 0;
  for (guint i = 0; i < VEND_LANES; i++)
    {
      g_autoptr (GError) problem = NULL;
      later->pools[i] = g_thread_pool_new (run, NULL, lanes[i].threads, TRUE, &problem);
      threads += lanes[i].threads;
      if (problem != NULL)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&problem),
                                      "start the threads for %s: ", lanes[i].name);
          return false;
        }
    }
  g_assert (threads == VEND_LATER_THREADS);
  *out = g_steal_pointer (&later);
  return true;
}

void
vend_later_free (VendLater *later)
{
  if (later == NULL)
    return;
  for (guint i = 0; i < VEND_LANES; i++)
    if (later->pools[i] != NULL)
      g_thread_pool_free (later->pools[i], FALSE, TRUE);
  g_free (later);
}

bool
vend_later_try (VendLater *later, VendLane lane, VendLaterWork work, void *data, GError **error)
{
  if (g_thread_pool_unprocessed (later->pools[lane]) >= VEND_LATER_MAX_WAITING)
    return vend_fail (error, VEND_ERROR_BUSY, "%u requests are queued for %s; try again later",
                      VEND_LATER_MAX_WAITING, lanes[lane].name);
  vend_later_run (later, lane, work, data);
  return true;
}

void
vend_later_run (VendLater *later, VendLane lane, VendLaterWork work, void *data)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){ work, data };
  g_thread_pool_push (later->pools[lane], job, NULL);
}
