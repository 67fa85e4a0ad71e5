/* How much the files of an instance take. */
#include "director/disk-use.h"
#include "base/inbox.h"
#include "base/tree-bytes.h"

#define SHARE 20 /* one part of the time */

struct VendDiskUse
{
  char **folders;
  uint64_t limit;
  VendDiskUseOver over;
  void *context;
  VendInbox *inbox;
  GThread *thread; /* a look under way; NULL: none */
  atomic_bool stops;
  uint64_t enough; /* of the look; the thread's, like the next two */
  uint64_t bytes;
  int64_t took_us;
  uint64_t at_first;
  bool has_first;
  bool is_over;
  int64_t not_before_us;
};

/* ---- The looks. */

static void
on_looked (void *data)
{
  VendDiskUse *use = data;
  if (use->thread == NULL)
    return;
  g_thread_join (g_steal_pointer (&use->thread));
  use->not_before_us = g_get_monotonic_time () + use->took_us * SHARE;
  if (!use->has_first)
    {
      use->has_first = true;
      use->at_first = use->bytes;
      return;
    }
  if (use->bytes <= use->enough)
    return;
  use->is_over = true;
  use->over (use->context);
}

static void *
look (void *data)
{
  VendDiskUse *use = data;
  const int64_t began_us = g_get_monotonic_time ();
  use->bytes = vend_tree_bytes ((const char *const *) use->folders, use->enough, &use->stops);
  use->took_us = g_get_monotonic_time () - began_us;
  vend_inbox_post (use->inbox, on_looked, use);
  return NULL;
}

VendDiskUse *
vend_disk_use_new (const char *const *folders, uint64_t limit, VendDiskUseOver over, void *context)
{
  VendDiskUse *use = g_new0 (VendDiskUse, 1);
  use->folders = g_strdupv ((char **) folders);
  use->limit = limit;
  use->over = over;
  use->context = context;
  use->inbox = vend_inbox_new (g_main_context_default ());
  return use;
}

void
vend_disk_use_count_all (VendDiskUse *use)
{
  use->has_first = true;
}

void
vend_disk_use_free (VendDiskUse *use)
{
  if (use == NULL)
    return;
  atomic_store (&use->stops, true);
  if (use->thread != NULL)
    g_thread_join (g_steal_pointer (&use->thread));
  vend_inbox_free (use->inbox);
  g_strfreev (use->folders);
  g_free (use);
}

void
vend_disk_use_look (VendDiskUse *use)
{
  if (use->is_over || use->thread != NULL || g_get_monotonic_time () < use->not_before_us)
    return;
  use->enough = use->has_first ? use->at_first + use->limit : UINT64_MAX;
  use->thread = g_thread_try_new ("disk-use", look, use, NULL);
}
