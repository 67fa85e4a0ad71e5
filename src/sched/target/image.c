/* Looks for the unpacked image of a target before its first instance starts, and has it unpacked.
 * Core thread; what blocks runs on the disk pool, and on the threads of the images. */
#include "sched/target/image.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/failure.h"
#include "sched/observe/decisions.h"

typedef struct
{
  Target *target;
  bool is_there;
  GError *error; /* or NULL */
} Search;

static void
search_free (Search *search)
{
  g_clear_error (&search->error);
  g_free (search);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Search, search_free)

static void
end (Search *search)
{
  Target *target = search->target;
  target->is_unpacking = false;
  if (!target->sched->draining && search->error != NULL)
    {
      if (g_error_matches (search->error, VEND_ERROR, VEND_ERROR_INVALID))
        vend_target_boot_refused (target, search->error->message);
      else
        vend_target_boot_failed (target, VEND_FAILURE_SETUP_FAILED, "", search->error->message);
    }
  target->image_is_there = search->error == NULL;
  vend_sched_reconcile_soon (target->sched);
}

static void
unpacked (void *data)
{
  g_autoptr (Search) search = data;
  Target *target = search->target;
  target->sched->n_disk_jobs--;
  if (search->error == NULL && !search->is_there)
    vend_decided_unpacked (target, vend_steady_us () - target->unpack_began_us);
  end (search);
}

/* On a thread of the images. */
static void
unpack_ended (const GError *error, void *data)
{
  Search *search = data;
  search->error = error != NULL ? g_error_copy (error) : NULL;
  vend_inbox_post (search->target->sched->inbox, unpacked, search);
}

static void
look (void *data)
{
  Search *search = data;
  const Target *target = search->target;
  json_auto_t *start = NULL;
  search->is_there = vend_images_find (target->sched->images, target->version, &start, NULL);
}

static void
looked (void *data)
{
  Search *search = data;
  Target *target = search->target;
  if (target->sched->draining)
    {
      target->is_unpacking = false;
      search_free (search);
      return;
    }
  target->unpack_began_us = vend_steady_us ();
  if (!search->is_there)
    {
      vend_log (VEND_LOG_INFO, "unpacking an image", "model", target->name, "version",
                target->version, NULL);
      vend_decided_unpack (target);
    }
  target->sched->n_disk_jobs++;
  vend_images_unpack (target->sched->images, target->model_id, target->version, unpack_ended,
                      search);
}

bool
vend_target_image_ready (Target *target, bool wants, int64_t now_us)
{
  VendSched *sched = target->sched;
  if (target->image == NULL || target->image_is_there)
    return true;
  if (!wants || target->is_unpacking || now_us < target->backoff.until_us || sched->draining)
    return false;
  if (sched->why_no_images != NULL)
    {
      vend_target_boot_refused (target, sched->why_no_images);
      return false;
    }
  Search *search = g_new0 (Search, 1);
  search->target = target;
  target->is_unpacking = true;
  vend_sched_on_disk (sched, look, looked, search);
  return false;
}
