/* Functions that all parts of the scheduler use: blocking work on the disk pool, and the request to
 * reconcile. Calls other parts only through pointers set by `sched.c`. */
#include "sched/core.h"
#include "base/clock.h"
#include "store/db.h"

#define DISK_THREADS 4
/* Of files elsewhere: they wait for a network. */
#define FILE_THREADS 8
/* A database that is away for less delays starts and runs, and fails none. */
#define DATABASE_PATIENCE_US (60 * VEND_US_PER_S)

typedef struct
{
  VendSched *sched;
  DiskWork work;
  DiskWork done;
  void *data;
} DiskJob;

static void
finish_disk_job (void *data)
{
  g_autofree DiskJob *job = data;
  job->sched->n_disk_jobs--;
  job->done (job->data);
}

static void
run_disk_job (void *data, void *unused)
{
  DiskJob *job = data;
  if (job->sched->disk_pool != NULL)
    vend_db_set_patience (DATABASE_PATIENCE_US);
  job->work (job->data);
  vend_inbox_post (job->sched->inbox, finish_disk_job, job);
}

static void
start_job (VendSched *sched, GThreadPool *pool, DiskWork work, DiskWork done, void *data)
{
  DiskJob *job = g_new0 (DiskJob, 1);
  *job = (DiskJob){ sched, work, done, data };
  sched->n_disk_jobs++;
  if (pool != NULL)
    g_thread_pool_push (pool, job, NULL);
  else
    run_disk_job (job, NULL);
}

void
vend_sched_on_disk (VendSched *sched, DiskWork work, DiskWork done, void *data)
{
  start_job (sched, sched->disk_pool, work, done, data);
}

void
vend_sched_on_files (VendSched *sched, DiskWork work, DiskWork done, void *data)
{
  start_job (sched, sched->file_pool != NULL ? sched->file_pool : sched->disk_pool, work, done,
             data);
}

bool
vend_sched_start_disk (VendSched *sched, GError **error)
{
  g_autoptr (GError) problem = NULL;
  sched->disk_pool = g_thread_pool_new (run_disk_job, NULL, DISK_THREADS, TRUE, &problem);
  if (problem == NULL && vend_blobs_is_remote (sched->blobs))
    sched->file_pool = g_thread_pool_new (run_disk_job, NULL, FILE_THREADS, TRUE, &problem);
  if (problem == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

void
vend_sched_reconcile_soon (VendSched *sched)
{
  vend_deferred_request (sched->reconciliation);
}

void
vend_sched_adopted_one (VendSched *sched)
{
  if (--sched->n_adopting == 0)
    sched->resume (sched);
}
