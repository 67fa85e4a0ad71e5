/* A runner of instances in this process, whose directors play by a script: everything happens on
 * the default context, over pairs of sockets. Its operations may be called as runner.h says, the
 * functions here on the main thread. It outlives schedulers, as directors do. */
#pragma once
#include "runner/runner.h"

/* How a start goes, beside what script-director.h has. */
#define FAKE_BOOT_REFUSED "refused"     /* `start` fails */
#define FAKE_BOOT_STILLBORN "stillborn" /* the director ends before it is connected */
#define FAKE_BOOT_STUCK "stuck"         /* `start` returns when it is released */
#define FAKE_BOOT_SILENT "silent"       /* it lives, and is not connected before it is released */

/* `boots` are those of the first starts, separated by "; "; the last one is that of all later ones.
 * NULL: all get ready. `dir` is what folders of instances are said to be in. */
VendRunner *fake_runner_new (const char *dir, const char *boots) G_GNUC_WARN_UNUSED_RESULT;

/* All that directors noted. Borrowed. */
const char *fake_runner_told (const VendRunner *runner);
/* A director that stands still: it hears nothing and says nothing, and has its connection. */
void fake_runner_pause (VendRunner *runner, const char *id, bool pauses);
/* Those that are stuck or silent. */
void fake_runner_release (VendRunner *runner);
/* As an earlier server left it; with a `spec` of NULL its start was cut off. */
void fake_runner_add (VendRunner *runner, const char *id, const char *spec);
/* Until it is let again, nothing can be removed. */
void fake_runner_let_remove (VendRunner *runner, bool lets);
/* Instances that are not removed. */
guint fake_runner_count (VendRunner *runner);
