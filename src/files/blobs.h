/* Blobs: immutable bytes under their SHA-256, each content once, in a depot. Rows in the store
 * decide which blobs live: a blob is written before its first row, and removed after its last row.
 * Any thread but the core thread, unless a function says otherwise; blocks as the depot does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/depot.h"

typedef struct VendBlobs VendBlobs;

/* Makes `dir` and its sub-folders, and removes leftovers of interrupted writes from the spool. */
bool vend_blobs_open (const char *dir, VendBlobs **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with contents in a depot elsewhere, which is taken also after a failure, and copies of
 * what was used last in `dir`, `near_max` bytes of them (0 = no limit). */
bool vend_blobs_open_remote (const char *dir, VendDepot *depot, uint64_t near_max, VendBlobs **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_blobs_free (VendBlobs *blobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobs, vend_blobs_free)

const char *vend_blobs_dir (const VendBlobs *blobs);

/* Folder for incoming files, on the same file system. */
const char *vend_blobs_spool (const VendBlobs *blobs);

/* Moves the file at `path` in, durably. The caller vouches for `sha256`. Afterwards `path` is gone,
 * also when the content existed already. After success the content is held until vend_blobs_let_go,
 * so that it stays until its row is stored. */
bool vend_blobs_take (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same, but the file stays at `path` too; it must not be written to any more. */
bool vend_blobs_copy (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The path of the content, or of the copy that vend_blobs_bring makes. Pure. Free with g_free. */
char *vend_blobs_path (const VendBlobs *blobs, const char *sha256) G_GNUC_WARN_UNUSED_RESULT;

/* Whether contents are elsewhere, so that files are here only when they were brought. Any thread;
 * does not block. */
bool vend_blobs_is_remote (const VendBlobs *blobs);

/* Brings a content to its path, where it stays as long as it is held, has another name, or is
 * needed by the rule. Does nothing when contents are there anyway. NOT_FOUND and BUSY as below. */
bool vend_blobs_bring (const VendBlobs *blobs, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Errors of a depot elsewhere are BUSY, with the reason in the log: what takes, holds, brings or
 * opens may be tried again.
 *
 * Opens for reading; NOT_FOUND when the content does not exist. */
bool vend_blobs_open_fd (const VendBlobs *blobs, const char *sha256, int *out_fd,
                         uint64_t *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a reader of a part, which `find` tells: of a large content elsewhere without a copy
 * here only that part is fetched, and the rest of the file is a hole. */
typedef bool (*VendBlobsPart) (uint64_t file_size, uint64_t *out_start, uint64_t *out_size,
                               void *data);
bool vend_blobs_open_part (const VendBlobs *blobs, const char *sha256, VendBlobsPart find,
                           void *data, int *out_fd, uint64_t *out_size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Holds an existing content for a row in flight; NOT_FOUND when the content does not exist. */
bool vend_blobs_hold (VendBlobs *blobs, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Once for each success of take, copy and hold: the row is on disk, or will not come. Any thread;
 * does not wait for a disk. */
void vend_blobs_let_go (VendBlobs *blobs, const char *sha256);

/* Removes a content without a hold and, by `is_used`, without a row; no content is added
 * meanwhile. */
typedef bool (*VendBlobsUsed) (const char *sha256, void *data);
bool vend_blobs_remove_unused (VendBlobs *blobs, const char *sha256, VendBlobsUsed is_used,
                               void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before the first content comes: whether a copy has to stay here. */
void vend_blobs_set_near_rule (VendBlobs *blobs, VendBlobsUsed is_needed, void *data);

/* Whether the depot answers; UNAVAILABLE with the reason. */
bool vend_blobs_check (const VendBlobs *blobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes what broken uploads left in the depot. */
bool vend_blobs_tidy (const VendBlobs *blobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A URL that reads the content without a token for `life_s` seconds; NULL: the depot gives none.
 * Does not block. Free with g_free. */
char *vend_blobs_link (const VendBlobs *blobs, const char *sha256, const char *content_type,
                       guint life_s) G_GNUC_WARN_UNUSED_RESULT;

/* Calls `visit` with each blob. */
bool vend_blobs_each (const VendBlobs *blobs, VendDepotVisit visit, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* NOT_FOUND when the content does not exist. */
bool vend_blobs_stat (const VendBlobs *blobs, const char *sha256, VendDepotStat *out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Contents held together, and let go together by vend_blob_holds_free. Any thread, one at a
 * time. */
typedef struct VendBlobHolds VendBlobHolds;
VendBlobHolds *vend_blob_holds_new (VendBlobs *blobs);
void vend_blob_holds_free (VendBlobHolds *holds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobHolds, vend_blob_holds_free)
bool vend_blob_holds_add (VendBlobHolds *holds, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Adds, and brings the content to its path. */
bool vend_blob_holds_bring (VendBlobHolds *holds, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* As vend_blobs_take. */
bool vend_blob_holds_take (VendBlobHolds *holds, const char *path, const char *sha256,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
