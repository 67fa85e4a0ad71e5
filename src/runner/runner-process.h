/* Instances as processes on this machine: makes the instance directory and starts a detached
 * director in it. Any thread but the core thread: blocks on disk and fork. */
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

/* DIR/director.sock, for vend_link_connect. Exists a moment after the start. Free with g_free. */
char *vend_runner_process_socket (const char *dir) G_GNUC_WARN_UNUSED_RESULT;

/* True while the director of `dir` is alive (by pid and start time). */
bool vend_runner_process_alive (const char *dir);

/* Kills the director and every process of the model, also after the director's death, and removes
 * their control groups. Journal and outputs stay. True when a process was killed. */
bool vend_runner_process_kill (const char *dir);

/* Kills the remaining processes in the control groups of `dir` and removes the groups. False when
 * groups stay: then only the directory names them. */
bool vend_runner_process_remove_groups (const char *dir) G_GNUC_WARN_UNUSED_RESULT;
