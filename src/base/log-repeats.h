/* Recent log lines, and the number of their repeats. Not locked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_LOG_REPEATS_MAX 256 /* most different lines kept */

typedef struct VendLogRepeats VendLogRepeats;

VendLogRepeats *vend_log_repeats_new (void);
void vend_log_repeats_free (VendLogRepeats *repeats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLogRepeats, vend_log_repeats_free)

/* True when `line` is to be written; `*out_left_out` is the number of repeats since the last
 * time. */
bool vend_log_repeats_pass (VendLogRepeats *repeats, const char *line, int64_t now_us,
                            guint64 *out_left_out);
/* A line with repeats whose time is over, or any line with repeats with `all`: to be written with
 * their number. NULL: none. Free with g_free. */
char *vend_log_repeats_due (VendLogRepeats *repeats, int64_t now_us, bool all,
                            guint64 *out_left_out);
