/* Reads of an audit: damaged rows, and lists to compare with the rest of the machine. On a
 * read-only connection of its own; one thread; blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Opens the database of a server that may be running. NOT_FOUND when there is none, CONFLICT when
 * it is of another version of Vend. */
bool vend_store_audit_open (const char *path, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for a few writes: a running server waits meanwhile. */
bool vend_store_beside_open (const char *path, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* All statements between begin and end see one snapshot. */
bool vend_store_audit_begin (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_audit_end (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Both texts are borrowed until the function returns. */
typedef void (*VendStoreAuditSeen) (const char *subject, const char *detail, int64_t number,
                                    void *data);

/* At most `limit` rows of one of the damage statements of audit.sql. */
bool vend_store_audit_damage (VendDb *db, VendSql statement, int limit, VendStoreAuditSeen seen,
                              void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Contents in use by rows: SHA-256, the row, and the size, or -1 when the row has none. A content
 * may come twice. */
bool vend_store_audit_contents (VendDb *db, VendStoreAuditSeen seen, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ids of predictions that have not ended, and their attempts. */
bool vend_store_audit_open_predictions (VendDb *db, VendStoreAuditSeen seen, void *data,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ids of versions, each once. */
bool vend_store_audit_versions (VendDb *db, VendStoreAuditSeen seen, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_audit_is_open (VendDb *db, const char *prediction, bool *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
