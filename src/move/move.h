/* Moves what a data directory has in a database and in a file store to others: rows from SQLite to
 * a PostgreSQL server and back, contents from the directory to a bucket and back. Versions,
 * environments, keys and settings stay in the directory, and so does what was moved, until somebody
 * removes it. No server runs meanwhile; a move that was cut off goes on. One thread; blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/depot.h"

typedef struct VendMove VendMove;

/* `what` is what is done ("copying rows"), `subject` to which table, or NULL; `n` rows of it, or
 * files. */
typedef void (*VendMoveProgress) (const char *what, const char *subject, uint64_t n, uint64_t bytes,
                                  void *data);

typedef struct
{
  const char *data_dir; /* absolute */
  const char *store;    /* its database: a path or a postgres:// URL */
  VendDepot *files;     /* the bucket of its contents; NULL: they are in the directory */
  const char *to_store; /* NULL: rows stay; else a postgres:// URL, or the path DATA/vend.db */
  bool moves_files;
  VendDepot *to_files;  /* NULL: the directory */
  const char *to_place; /* "s3://bucket/prefix" of `to_files` */
  VendMoveProgress progress;
  void *progress_data;
} VendMoveOptions;

/* Keeps servers out, and takes the new places. BUSY while a server has the directory or a database;
 * INVALID for places that are not empty, or that are not those of the move which was begun. All of
 * `options` is borrowed. */
bool vend_move_begin (const VendMoveOptions *options, VendMove **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_move_free (VendMove *move);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMove, vend_move_free)

/* An earlier try came as far as vend_move_end: copy and compare are done. */
bool vend_move_is_decided (const VendMove *move);

/* Copies what the new places lack. `*out_missing` contents are named by rows, and were not there to
 * be copied. */
bool vend_move_copy (VendMove *move, uint64_t *out_missing, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Reads all rows of both databases, and compares their numbers and checksums. */
bool vend_move_compare (VendMove *move, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where the rows are now, for an audit: a path or a URL. */
const char *vend_move_copied_store (const VendMove *move);
/* From here on the directory is one with the new places, durably. */
bool vend_move_end (VendMove *move, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* INVALID while a move of the directory has begun and not ended. */
bool vend_move_check_none (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Gives a move up: the directory is as before it. What was copied to a server or a bucket stays
 * there. CONFLICT when all is copied and the change has begun, NOT_FOUND when no move has begun. */
bool vend_move_abandon (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
