/* Blobs: immutable bytes on the local disk under their SHA-256, each content once. Which blobs live
 * is decided by rows in the store; a blob is written before the row that points to it, and removed
 * after the last such row. Any thread but the core thread, unless it says otherwise; blocks on
 * disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendBlobs VendBlobs;

/* `dir` and its sub-folders are made; what an interrupted write left in the spool is removed. */
bool vend_blobs_open (const char *dir, VendBlobs **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_blobs_free (VendBlobs *blobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobs, vend_blobs_free)

/* Folder on the same file system for files on their way in. */
const char *vend_blobs_spool (const VendBlobs *blobs);

/* Moves the file at `path` in, durably. The caller vouches for `sha256`. The file is gone from
 * `path` afterwards, also when the content was there already. After success the content is held,
 * so that it stays until its row is there: vend_blobs_let_go. */
bool vend_blobs_take (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same, but the file stays at `path` too; nobody may write to it any more. */
bool vend_blobs_copy (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Where the bytes are. Free with g_free. */
char *vend_blobs_path (const VendBlobs *blobs, const char *sha256) G_GNUC_WARN_UNUSED_RESULT;

/* Opens for reading; NOT_FOUND when it is not there. */
bool vend_blobs_open_fd (const VendBlobs *blobs, const char *sha256, int *out_fd,
                         uint64_t *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Holds a content that is there already, for a row that is on its way; NOT_FOUND when it is not. */
bool vend_blobs_hold (VendBlobs *blobs, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Once for each success of the three above: its row is on disk, or will not come. Any thread; does
 * not wait for a disk. */
void vend_blobs_let_go (VendBlobs *blobs, const char *sha256);

/* Removes a content without a holder and, as `is_used` says, without a row; no content is added
 * meanwhile. */
typedef bool (*VendBlobsUsed) (const char *sha256, void *data);
bool vend_blobs_remove_unused (VendBlobs *blobs, const char *sha256, VendBlobsUsed is_used,
                               void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls `visit` with the SHA-256 of each blob that is there. */
bool vend_blobs_each (const VendBlobs *blobs, void (*visit) (const char *sha256, void *data),
                      void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Contents that are held together, and let go with this. Any thread, one at a time. */
typedef struct VendBlobHolds VendBlobHolds;
VendBlobHolds *vend_blob_holds_new (VendBlobs *blobs);
void vend_blob_holds_free (VendBlobHolds *holds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobHolds, vend_blob_holds_free)
bool vend_blob_holds_add (VendBlobHolds *holds, const char *sha256, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* As vend_blobs_take. */
bool vend_blob_holds_take (VendBlobHolds *holds, const char *path, const char *sha256,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
