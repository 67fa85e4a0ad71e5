/* Zygotes as processes: parked Pythons that made a model's imports and fork for launchers. What is
 * in the data directory for them. Threads: any; these block on disk and on fork, so not on the core
 * thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/group.h"

/* Writes launcher and scripts to a folder of `dir` that is named after their content, unless they
 * are there, and removes sockets and control groups of earlier zygotes. `*out_scripts` is that
 * folder; free with g_free. The launcher is its `bin/python`. */
bool vend_zygote_install (const char *dir, char **out_scripts, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  const char *scripts; /* of vend_zygote_install */
  const char *python;
  char *const *env;        /* complete, as of the model's process */
  const char *cwd;         /* some folder; imports must not depend on it */
  const char *socket;      /* where launchers will find it */
  const char *imports;     /* file: names of modules, one a line */
  const char *unfit;       /* file: those of them that must not be imported there; it adds to it */
  const VendCgroup *group; /* that it is born in; NULL: that of this process */
} VendZygoteOrder;

/* Starts one, as a child of this process. It ends when `*out_link` is closed, and writes lines
 * there: "ready" once launchers may come; "unfit MODULE WHY" when an import leaves behind what a
 * fork cannot take along, after which it ends and is to be started again. */
bool vend_zygote_start (const VendZygoteOrder *order, pid_t *out_pid, int *out_link, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of memory that a process takes, shared ones by its share; 0 when that cannot be told. */
uint64_t vend_zygote_memory (pid_t pid);
