/* DATA/store: which database is that of a data directory whose rows were moved from one to another.
 * The one before stays for a while, and a server that is started with it would go on from there.
 * Without the file the settings alone tell. One thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_STORE_MARK "store"
#define VEND_STORE_MARK_SQLITE "sqlite\n"
#define VEND_STORE_MARK_POSTGRES "postgres\n"

/* `place`, a path or a postgres:// URL, is the database from now on. Durable. */
bool vend_store_mark_write (const char *data_dir, const char *place, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether the database is the SQLite file of the directory, whatever settings say. */
bool vend_store_mark_is_sqlite (const char *data_dir);
/* INVALID when `place` is not the database of the directory. */
bool vend_store_mark_check (const char *data_dir, const char *place, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
