/* Timed waits for POSIX locks. Vend uses POSIX locks, since the thread sanitizer does not see
 * GLib's. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For vend_cond_wait_until: uses the clock of g_get_monotonic_time. */
void vend_cond_init (pthread_cond_t *cond);
/* False after `until_us`. */
bool vend_cond_wait_until (pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);
