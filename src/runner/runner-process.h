/* Instances as plain processes on this machine: makes the instance directory and starts a detached
 * director in it. Threads: any; these block on disk and on fork, so not on the core thread. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "json/json.h"

/* Makes `dir`, writes `spec` (docs/architecture/director.md) durably to it and starts
 * `vend_binary director --dir dir` in its own session, not as a child of the caller: it outlives
 * the caller and leaves no zombie. `*out_pid` may be NULL. */
bool vend_runner_process_start (const char *dir, const json_t *spec, const char *vend_binary,
                                pid_t *out_pid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* DIR/director.sock: what vend_link_connect takes. Exists a moment after the start. Free with
 * g_free. */
char *vend_runner_process_socket (const char *dir) G_GNUC_WARN_UNUSED_RESULT;

/* True while the director of `dir` is alive (by pid and start time). */
bool vend_runner_process_alive (const char *dir);

/* Kills the director and every process of the model, those of a dead director too, and removes
 * their control groups. The journal and the outputs stay. True when something was killed. */
bool vend_runner_process_kill (const char *dir);

/* Ends what is left in the control groups of `dir` and removes them. False when they stay: then the
 * directory is all that tells of them. */
bool vend_runner_process_remove_groups (const char *dir) G_GNUC_WARN_UNUSED_RESULT;
