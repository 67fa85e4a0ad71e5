/* The seam between the file store and the place of its bytes: a table of operations, with the disk
 * and S3 behind it. A depot keeps contents under their SHA-256, each once. No operation is for the
 * core thread: all block, on a disk or on a network. Otherwise any thread, several at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* A file of the data directory that names the bucket of its contents; without one they are there.
 */
#define VEND_DEPOT_MARK "files"

typedef struct VendDepot VendDepot;

typedef struct
{
  uint64_t size;
  int64_t changed_us; /* when the content came, or came again */
} VendDepotStat;

typedef enum
{
  VEND_DEPOT_MOVE, /* the file may become the content itself */
  VEND_DEPOT_KEEP, /* the file stays, and must not be written to any more */
} VendDepotHow;

typedef bool (*VendDepotSink) (const void *bytes, gsize size, void *data);
typedef void (*VendDepotVisit) (const char *sha256, const VendDepotStat *stat, void *data);

typedef struct
{
  /* Durable, and seen by others as a whole, when it returns; the caller vouches for `sha256`. A
   * content that is there becomes young again where the depot can do that. After a failure
   * nothing is seen. */
  bool (*put) (VendDepot *depot, const char *path, const char *sha256, VendDepotHow how,
               GError **error);
  /* NOT_FOUND when the content does not exist. */
  bool (*stat) (VendDepot *depot, const char *sha256, VendDepotStat *out, GError **error);
  /* Gives `size` bytes from `start` on, or as many as there are (UINT64_MAX: all), to `sink` in
   * pieces; it ends the reading by false, and then has set the error. The whole of a content is as
   * good as its checksum says to the caller. NOT_FOUND as above. */
  bool (*read) (VendDepot *depot, const char *sha256, uint64_t start, uint64_t size,
                VendDepotSink sink, void *data, GError **error);
  /* A missing content is fine. */
  bool (*remove) (VendDepot *depot, const char *sha256, GError **error);
  bool (*each) (VendDepot *depot, VendDepotVisit visit, void *data, GError **error);
  /* The rest are NULL for a disk. */
  /* Whether the place answers; UNAVAILABLE with the reason. `deep`: by a write, too. */
  bool (*check) (VendDepot *depot, bool deep, GError **error);
  /* Removes what broken puts have left, when it is older than a day. */
  bool (*tidy) (VendDepot *depot, GError **error);
  /* A URL that reads the content without credentials, for `life_s` seconds. Does not block. */
  char *(*link) (VendDepot *depot, const char *sha256, const char *content_type, guint life_s);
  void (*free) (VendDepot *depot);
} VendDepotOps;

/* The first member of each depot. */
struct VendDepot
{
  const VendDepotOps *ops;
};

static inline void
vend_depot_free (VendDepot *depot)
{
  if (depot != NULL)
    depot->ops->free (depot);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDepot, vend_depot_free)

/* Writes the content to `fd`; STORAGE when its bytes are those of another. NOT_FOUND as above. */
bool vend_depot_fetch (VendDepot *depot, const char *sha256, int fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A folder of this machine: DIR/<2 hex>/<SHA-256>. `spool` is on the same file system. Without
 * `is_synced` what was put may be gone, or have other bytes, after a loss of power. */
VendDepot *vend_depot_disk_new (const char *dir, const char *spool, bool is_synced)
    G_GNUC_WARN_UNUSED_RESULT;
/* Pure. Free with g_free. */
char *vend_depot_disk_path (const char *dir, const char *sha256) G_GNUC_WARN_UNUSED_RESULT;

/* Objects PREFIX/<2 hex>/<SHA-256> of a bucket. `s3` is taken. */
typedef struct VendS3 VendS3;
VendDepot *vend_depot_s3_new (VendS3 *s3) G_GNUC_WARN_UNUSED_RESULT;
/* The prefix of the bucket is this owner's from now on; INVALID when it is another's, UNAVAILABLE
 * as check. */
bool vend_depot_s3_claim (VendDepot *depot, const char *owner, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether nothing is under the prefix. */
bool vend_depot_s3_is_empty (VendDepot *depot, bool *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
