/* Preparations of a process before anything else: its first descriptors, and secrets of its start.
 * Main thread, before any other thread starts. */
#pragma once
#include <glib.h>

/* Opens descriptors 0 to 2 on /dev/null where they are closed, so that no file gets such a number
 * and receives printed text. Ends the process on failure. */
void vend_process_fill_descriptors (void);

/* The value of an environment variable, or NULL; free with g_free. Removes the variable and
 * overwrites its value, so that neither children nor /proc/PID/environ show it. */
char *vend_process_take_variable (const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* Signals without a meaning for Vend no longer end the process. Child programs start with the
 * default actions. */
void vend_process_survive_signals (void);

/* A copy of `argv`, for g_strfreev. In `argv` itself, which everybody sees in /proc/PID/cmdline,
 * the values of the named options ("--token") become asterisks. */
char **vend_process_hide_options (char **argv, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;
