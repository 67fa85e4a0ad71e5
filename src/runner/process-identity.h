/* Processes identified by pid and start time, so that a reused pid is never signalled. Reads /proc,
 * which is quick enough for any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

/* At least the first `n` fields of /proc/<pid>/stat after the name: index 0 is the state, field 3
 * in proc(5). NULL when there is no such process. Free with g_strfreev. */
char **vend_process_stat (const char *pid, guint n) G_GNUC_WARN_UNUSED_RESULT;

/* Ticks since boot, from /proc/<pid>/stat. False when there is no such process, or only a zombie.
 */
bool vend_process_start_time (pid_t pid, uint64_t *out_start) G_GNUC_WARN_UNUSED_RESULT;

/* Signals the process with this start time, if it is alive. */
bool vend_process_signal (pid_t pid, uint64_t start_time, int signal_number);

/* Writes "<pid> <start time>" durably. */
bool vend_pid_file_write (const char *path, pid_t pid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* True while the process in the file is alive; `*out_pid` may be NULL. */
bool vend_pid_file_alive (const char *path, pid_t *out_pid);

/* Signals the process in the file, if it is alive. */
bool vend_pid_file_signal (const char *path, int signal_number);

/* Every model process has this variable in its first environment, and its children inherit it, so
 * processes are found outside of their process group too. The value is the instance directory. */
#define VEND_PROCESS_MARK "VEND_INSTANCE_DIR"

/* Sends SIGKILL to all processes marked with `dir`, except the caller. Returns their number. */
guint vend_process_kill_marked (const char *dir);

/* The same for directors of `dir`, recognized by their arguments: a director that hangs early has
 * not recorded its identity yet. */
guint vend_process_kill_directors (const char *dir);

/* Calls `seen` for each director of a directory in `parent`, recognized by its arguments, and for
 * each process marked with such a directory. `dir` is borrowed. Processes of other users are not
 * seen without rights over them. */
typedef void (*VendProcessSeen) (pid_t pid, bool is_director, const char *dir, void *data);
void vend_process_each (const char *parent, VendProcessSeen seen, void *data);
/* The same without directors, in half the time: `is_director` is false. */
void vend_process_each_marked (const char *parent, VendProcessSeen seen, void *data);
