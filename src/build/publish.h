/* What people see of a model, set by the files of its source: from the card of a build to rows and
 * blobs. Any thread but the core thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "json/json.h"
#include "model/model.h"
#include "store/db.h"

typedef struct
{
  VendBlobs *blobs;
  const char *source_dir; /* the project, as it was built */
  const json_t *card;     /* what the builder made; NULL or empty: nothing changes */
  const VendModel *model;
  const char *version;
  const json_t *openapi; /* of the version */
  uint64_t max_stored;   /* bytes of the account's files; 0 = no limit */
} VendPublishRequest;

/* A card whose files are in the file store, held until it is freed. */
typedef struct VendPublication VendPublication;

/* Brings the files in. RUNNER when one is not the file that the builder read. */
bool vend_publication_new (const VendPublishRequest *request, VendPublication **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_publication_free (VendPublication *publication);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendPublication, vend_publication_free)

/* Brings one file in and holds it; `name` is for errors. RUNNER when it has another checksum. */
bool vend_publish_file (VendBlobs *blobs, VendBlobHolds *holds, const char *path, const char *name,
                        const char *sha256, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside the transaction that stores the version, behind its row. May run again after a
 * roll-back. */
bool vend_publication_store (VendDb *db, const VendPublication *publication, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
