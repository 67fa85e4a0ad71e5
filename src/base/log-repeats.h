/* Which log lines were written lately, and how often since. Not locked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_LOG_REPEATS_MAX 256 /* different lines that are remembered */

typedef struct VendLogRepeats VendLogRepeats;

VendLogRepeats *vend_log_repeats_new (void);
void vend_log_repeats_free (VendLogRepeats *repeats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLogRepeats, vend_log_repeats_free)

/* True when `line` is to be written; `*out_left_out` is how often it was not since the last time.
 */
bool vend_log_repeats_pass (VendLogRepeats *repeats, const char *line, int64_t now_us,
                            guint64 *out_left_out);
/* A line that was left out and whose time is over, or any that was left out when `all`: to be
 * written with that count. NULL: there is none. Free with g_free. */
char *vend_log_repeats_due (VendLogRepeats *repeats, int64_t now_us, bool all,
                            guint64 *out_left_out);
