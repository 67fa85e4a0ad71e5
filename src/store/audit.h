/* What an audit reads of the store: rows that should not be there, and lists to compare with the
 * rest of the machine. On a connection of its own that never writes; one thread; blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Opens the database of a server that may be running. NOT_FOUND when there is none, CONFLICT when
 * it is of another version of Vend. */
bool vend_store_audit_open (const char *path, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same, to write a little: a server that runs waits meanwhile. */
bool vend_store_beside_open (const char *path, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* All statements between the two see the same moment. */
bool vend_store_audit_begin (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_audit_end (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Both texts are borrowed until it returns. */
typedef void (*VendStoreAuditSeen) (const char *subject, const char *detail, int64_t number,
                                    void *data);

/* At most `limit` rows of one of the statements of audit.sql that look for damage. */
bool vend_store_audit_damage (VendDb *db, VendSql statement, int limit, VendStoreAuditSeen seen,
                              void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Contents that rows point to: SHA-256, which row, and the size, or -1 when the row has none. The
 * same one may come twice. */
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
