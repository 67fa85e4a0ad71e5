/* The journal of a director: results not acknowledged yet, one `completed` frame each, in
 * DIR/journal/<prediction>.<attempt>.json. Writes and removals run on the journal's own thread, in
 * order; callers never wait. Reads are for starts, and for the runner when the director is dead;
 * they block. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendJournal VendJournal;

/* Makes DIR/journal. `written` (may be NULL) is called on `context` for each key whose write is
 * durable, or failed. */
typedef void (*VendJournalWritten) (const char *key, const GError *error, void *data);
bool vend_journal_open (const char *dir, GMainContext *context, VendJournalWritten written,
                        void *data, VendJournal **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* On the thread of `context`. Blocks until all writes and removals are done; no callbacks
 * follow. */
void vend_journal_free (VendJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendJournal, vend_journal_free)

/* "<prediction>.<attempt>". Free with g_free. */
char *vend_journal_key (const char *prediction, int64_t attempt) G_GNUC_WARN_UNUSED_RESULT;

void vend_journal_write (VendJournal *journal, const char *key, const json_t *completed);
void vend_journal_remove (VendJournal *journal, const char *key);

/* One entry from disk. Any thread; blocks. NOT_FOUND when the entry was never written or is
 * removed. */
bool vend_journal_read (const char *dir, const char *key, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Calls `found` for every readable entry. A damaged entry is renamed to `<name>.bad` and logged. A
 * missing journal is empty. Blocks. */
typedef void (*VendJournalFound) (const char *key, json_t *completed, void *data);
bool vend_journal_scan (const char *dir, VendJournalFound found, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
