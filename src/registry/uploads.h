/* Blobs on their way: a file each, hashed while it grows. Several requests continue one upload, one
 * after the other; the hash goes on from one to the next, and is made again from the file only
 * after a restart. Any thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"

typedef struct VendBlobUploads VendBlobUploads;
typedef struct VendBlobTurn VendBlobTurn;

/* Files lie in `dir`, on the file system of the blobs. */
bool vend_blob_uploads_open (const char *dir, VendBlobUploads **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_blob_uploads_free (VendBlobUploads *uploads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobUploads, vend_blob_uploads_free)

/* Bytes that are there. */
uint64_t vend_blob_uploads_size (VendBlobUploads *uploads, const char *id);

/* Takes the upload over for one request: a request that still writes has its next piece refused.
 * `with_sha512`: its digest will be one of SHA-512. CONFLICT while it is being finished. */
bool vend_blob_uploads_take (VendBlobUploads *uploads, const char *id, bool with_sha512,
                             VendBlobTurn **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_blob_turn_free (VendBlobTurn *turn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBlobTurn, vend_blob_turn_free)

uint64_t vend_blob_turn_size (VendBlobTurn *turn);
/* CONFLICT when another request has taken over. After NO_SPACE nothing is left of the upload. */
bool vend_blob_turn_write (VendBlobTurn *turn, const char *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Moves the content into the blob store, where it is held. INVALID when it has another digest. The
 * upload is over in both cases. `*out_sha256` is g_free'd. */
bool vend_blob_turn_finish (VendBlobTurn *turn, const char *digest, VendBlobs *blobs,
                            char **out_sha256, uint64_t *out_size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes what is there. */
void vend_blob_uploads_remove (VendBlobUploads *uploads, const char *id);

/* Whether the upload was written to since `since_us`, or is being written to. */
bool vend_blob_uploads_is_active (VendBlobUploads *uploads, const char *id, int64_t since_us);
/* Ids of all files, of char *. */
bool vend_blob_uploads_list (VendBlobUploads *uploads, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
