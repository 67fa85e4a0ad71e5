/* Children of the builder: never through a shell, in a process group of their own that is killed
 * with them, and dead when the builder dies. One thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "workspace/workspace.h"

#define VEND_CHILD_LINE_MAX ((gsize) 16 * 1024) /* what is longer is cut */

typedef void (*VendChildLine) (const char *line, void *data);

typedef struct
{
  const char *const *argv;
  const char *const *env;
  const char *cwd;
  const VendWorkspace *workspace; /* instead of `cwd`; NULL = none */
  VendChildLine on_line;          /* whole lines of valid UTF-8 */
  void *data;
  const int *keep_fds; /* stay open in the child under their numbers */
  gsize n_keep_fds;
  /* Between fork and exec, system calls only; or NULL. */
  bool (*enter) (const void *place);
  const void *place;
  gsize max_output; /* 0 = standard output goes to on_line too; else it is kept, up to this */
} VendChildOptions;

typedef struct VendChild VendChild;

bool vend_child_start (const VendChildOptions *options, VendChild **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Delivers what is there, waiting up to `timeout_ms` (-1 = for ever) for something to happen.
 * `*out_ended` when the child has ended and all was delivered. TOO_LARGE past max_output. */
bool vend_child_pump (VendChild *child, int timeout_ms, bool *out_ended, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* After the end: NULL when it exited with 0, else what happened ("exited with status 2"). Free with
 * g_free. */
char *vend_child_dup_failure (const VendChild *child) G_GNUC_WARN_UNUSED_RESULT;
/* Standard output so far. Borrowed. */
const char *vend_child_output (const VendChild *child);
/* Ends it with its whole group. */
void vend_child_free (VendChild *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendChild, vend_child_free)

/* Runs one to its end; RUNNER when it did not exit with 0, `what` names it then. `out_output` (may
 * be NULL) gets standard output when it was good; free with g_free. */
bool vend_child_run (const VendChildOptions *options, const char *what, char **out_output,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
