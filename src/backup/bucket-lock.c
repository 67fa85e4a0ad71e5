/* One writer of a bucket at a time. There is no compare-and-set that all S3 servers know: a writer
 * puts its own id, and looks after a while whether it is still there. */
#include "backup/bucket-lock.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/lock.h"
#include <string.h>

#define NAME "lock"
#define RENEW_US (60 * VEND_US_PER_S)
#define OLD_US (10 * VEND_US_PER_S * 60)
/* Longer than two writers take from looking to putting. */
#define SETTLE_US (1 * VEND_US_PER_S)

struct VendBucketLock
{
  VendS3 *s3;
  char *path;
  char *id;
  GThread *thread;
  pthread_mutex_t mutex; /* guards all below */
  pthread_cond_t ends;
  bool is_ending;
  bool is_lost;
};

/* `*out` is NULL without one. */
static bool
look (VendS3 *s3, char **out, int64_t *out_changed_us, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autoptr (GError) problem = NULL;
  const VendS3Request request = { .method = "GET", .name = NAME };
  if (vend_s3_call (s3, &request, &answer, &problem))
    {
      *out = g_strdup (answer.text->str);
      *out_changed_us = answer.changed_us;
      return true;
    }
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
put (const VendBucketLock *lock, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *sha256 = vend_sha256_text (lock->id);
  const VendS3Request request = { .method = "PUT",
                                  .name = NAME,
                                  .body = lock->id,
                                  .body_size = strlen (lock->id),
                                  .sha256 = sha256 };
  return vend_s3_call (lock->s3, &request, &answer, error);
}

static bool
fail_busy (const char *path, GError **error)
{
  return vend_fail (error, VEND_ERROR_BUSY,
                    "another backup writes to '%s'; when none does, it was killed: remove the "
                    "object '" NAME "' there, or wait for 10 minutes",
                    path);
}

/* A server that does not answer is asked again a minute later. */
static bool
renew (const VendBucketLock *lock)
{
  g_autofree char *holder = NULL;
  g_autoptr (GError) ignored = NULL;
  int64_t changed_us = 0;
  if (!look (lock->s3, &holder, &changed_us, &ignored))
    return true;
  if (g_strcmp0 (holder, lock->id) != 0)
    return false;
  (void) !put (lock, NULL);
  return true;
}

static void *
renew_until_end (void *data)
{
  VendBucketLock *lock = data;
  pthread_mutex_lock (&lock->mutex);
  while (!lock->is_ending && !lock->is_lost)
    {
      if (vend_cond_wait_until (&lock->ends, &lock->mutex, g_get_monotonic_time () + RENEW_US))
        continue;
      pthread_mutex_unlock (&lock->mutex);
      const bool is_mine = renew (lock);
      pthread_mutex_lock (&lock->mutex);
      lock->is_lost = !is_mine;
    }
  pthread_mutex_unlock (&lock->mutex);
  return NULL;
}

static bool
take (VendBucketLock *lock, GError **error)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  int64_t changed_us = 0;
  if (!look (lock->s3, &before, &changed_us, error))
    return false;
  if (before != NULL && vend_now_us () - changed_us < OLD_US)
    return fail_busy (lock->path, error);
  if (!put (lock, error))
    return false;
  g_usleep (SETTLE_US);
  if (!look (lock->s3, &after, &changed_us, error))
    return false;
  return g_strcmp0 (after, lock->id) == 0 || fail_busy (lock->path, error);
}

bool
vend_bucket_lock_take (VendS3 *s3, const char *path, VendBucketLock **out, GError **error)
{
  VendBucketLock *lock = g_new0 (VendBucketLock, 1);
  lock->s3 = s3;
  lock->path = g_strdup (path);
  lock->id = vend_id_new ();
  lock->is_lost = true;
  pthread_mutex_init (&lock->mutex, NULL);
  vend_cond_init (&lock->ends);
  if (take (lock, error))
    {
      lock->is_lost = false;
      lock->thread = g_thread_try_new ("backup-lock", renew_until_end, lock, error);
    }
  *out = lock;
  return lock->thread != NULL;
}

bool
vend_bucket_lock_check (VendBucketLock *lock, GError **error)
{
  pthread_mutex_lock (&lock->mutex);
  const bool is_lost = lock->is_lost;
  pthread_mutex_unlock (&lock->mutex);
  return !is_lost || fail_busy (lock->path, error);
}

void
vend_bucket_lock_free (VendBucketLock *lock)
{
  g_auto (VendS3Answer) answer = { 0 };
  const VendS3Request request = { .method = "DELETE", .name = NAME };
  if (lock == NULL)
    return;
  if (lock->thread != NULL)
    {
      pthread_mutex_lock (&lock->mutex);
      lock->is_ending = true;
      pthread_cond_signal (&lock->ends);
      pthread_mutex_unlock (&lock->mutex);
      g_thread_join (lock->thread);
    }
  if (!lock->is_lost)
    (void) !vend_s3_call (lock->s3, &request, &answer, NULL);
  pthread_mutex_destroy (&lock->mutex);
  pthread_cond_destroy (&lock->ends);
  g_free (lock->path);
  g_free (lock->id);
  g_free (lock);
}
