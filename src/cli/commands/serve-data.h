/* The data directory before and after a server has it. Main thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Takes the rights of other users from the directory and from what is secret in it: what was made
 * with other rights by a backup that was played back, or by mkdir. Environments and sources are
 * many, and lie in folders that are closed. Says so in the log. Before the store is opened. */
void vend_serve_data_close_to_others (const char *dir);

/* `database` is a path or a URL. Before the store is opened: refuses a database that is damaged or
 * not of this directory, and notes that a server has it now. All pages are looked at after a server
 * that was cut off. */
bool vend_serve_data_check (const char *dir, const char *database, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After the store was opened: the directory and its database know each other from then on. */
bool vend_serve_data_claim (const char *dir, const char *database, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After the store was closed: a clean stop. */
void vend_serve_data_leave (const char *dir);
