/* What POSIX locks lack. Vend uses them and not GLib's, which the thread sanitizer does not see. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For vend_cond_wait_until: its clock is that of g_get_monotonic_time. */
void vend_cond_init (pthread_cond_t *cond);
/* False when the time has come. */
bool vend_cond_wait_until (pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);
