/* The rows of a database in another one, which may be of the other kind: copied table by table in
 * the order of keys, and compared. Connections of one thread; blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* After rows of `table` have become durable; `rows` counts those of the table in this run. */
typedef void (*VendRowsProgress) (const char *table, uint64_t rows, void *data);

/* Makes `to` ready for the copy that `move` names: migrates it, and notes that it is one. INVALID
 * when it has anything that no earlier try of the same copy has put there. */
bool vend_rows_prepare (VendDb *to, const char *move, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Copies what `to` lacks, in transactions that note how far they came: a copy that was cut off goes
 * on where it was. `from` is in a transaction that reads, and is written by nobody between two
 * tries. Constant memory. */
bool vend_rows_copy (VendDb *from, VendDb *to, const char *move, VendRowsProgress progress,
                     void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  const char *table;
  uint64_t rows;
  char *sha256; /* of all values, by key; the same for the same rows in both kinds */
} VendRowsSum;

/* `*out` is of VendRowsSum, one for each table that is copied. Free with g_ptr_array_unref. */
bool vend_rows_sum (VendDb *db, VendRowsProgress progress, void *data, GPtrArray **out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* STORAGE, naming the first table that differs. */
bool vend_rows_compare (const GPtrArray *from, const GPtrArray *to, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The copy is whole: `to` is a database like any other from now on. Twice is fine. */
bool vend_rows_finish (VendDb *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a copy into the database has begun and is not finished. */
bool vend_rows_is_unfinished (VendDb *db, bool *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls `visit` with the SHA-256 of each content that rows name, each once, in order, until it
 * returns false, having set the error. Constant memory; nothing else may be asked of `db`
 * meanwhile. */
typedef bool (*VendRowsContent) (const char *sha256, void *data, GError **error);
bool vend_rows_each_content (VendDb *db, VendRowsContent visit, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
