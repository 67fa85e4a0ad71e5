/* Timed waits, for any thread. */
#include "base/lock.h"
#include "base/clock.h"
#include <errno.h>
#include <time.h>

#define NS_PER_US 1000

void
vend_cond_init (pthread_cond_t *cond)
{
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attributes);
  pthread_condattr_destroy (&attributes);
}

bool
vend_cond_wait_until (pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
  const struct timespec until
      = { .tv_sec = until_us / VEND_US_PER_S, .tv_nsec = until_us % VEND_US_PER_S * NS_PER_US };
  return pthread_cond_timedwait (cond, lock, &until) != ETIMEDOUT;
}
