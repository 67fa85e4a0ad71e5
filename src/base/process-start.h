/* What a process settles before anything else: its first descriptors, and secrets that it was
 * started with. Main thread, before there are others. */
#pragma once
#include <glib.h>

/* Opens those of descriptors 0 to 2 that are closed on /dev/null, so that no file of ours gets such
 * a number and what is printed. Ends the process when that cannot be done. */
void vend_process_fill_descriptors (void);

/* The value of an environment variable, or NULL; free with g_free. The variable is gone afterwards
 * and its value overwritten, so that neither children nor /proc/PID/environ have it. */
char *vend_process_take_variable (const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* Signals that mean nothing to us no longer end the process. Programs that it starts have them as
 * they are by default. */
void vend_process_survive_signals (void);

/* A copy of `argv`, for g_strfreev. In `argv` itself, which /proc/PID/cmdline shows to everybody,
 * the values of the named options ("--token") become asterisks. */
char **vend_process_hide_options (char **argv, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;
