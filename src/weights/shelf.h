/* The managed weights of this server: which sets are on disk, which are in use, what is fetched
 * again and what has to go. Any thread but the core thread unless a function says otherwise; blocks
 * on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "model/weight-set.h"
#include "runner/runner.h"
#include "store/store.h"
#include "weights/hub.h"

#define VEND_SHELF_THREADS 4

typedef struct VendShelf VendShelf;

typedef struct
{
  VendStore *store;
  VendBlobs *blobs;
  VendRunner *runner; /* borrowed; outlives it */
  VendHub hub;
  const char *allow; /* networks beside public addresses */
  uint64_t max;      /* bytes of all sets; what can be fetched again goes beyond it; 0 = no limit */
} VendShelfOptions;

/* Clears what a kill has left on its way. */
bool vend_shelf_new (const VendShelfOptions *options, VendShelf **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Any thread; never blocks: downloads end with CANCELED, and none begins. */
void vend_shelf_close (VendShelf *shelf);
/* Closes, and waits for the threads: nothing calls back afterwards. */
void vend_shelf_finish (VendShelf *shelf);
void vend_shelf_free (VendShelf *shelf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendShelf, vend_shelf_free)

/* The folder of a set, which exists while the set is placed. Pure. Free with g_free. */
char *vend_shelf_path (const VendShelf *shelf, const VendWeightSet *set) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the folders of `sets` (of VendWeightSet), as hard links, and keeps them until
 * vend_shelf_let_go: the spec of the instance names them by then. NOT_FOUND, and nothing kept, when
 * the files of one are not on disk. */
bool vend_shelf_place (VendShelf *shelf, const GPtrArray *sets, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_shelf_let_go (VendShelf *shelf, const GPtrArray *sets);

/* On a thread of the shelf; frees `data`, and takes no error with it. */
typedef void (*VendShelfDone) (const GError *error, void *data);
/* Any thread; never blocks. Brings the sets that are not on disk, one after the other. `sets` is
 * taken. */
void vend_shelf_fetch (VendShelf *shelf, GPtrArray *sets, VendShelfDone done, void *data);
/* Reads them ahead into the page cache. Any thread; never blocks. `sets` is taken. */
void vend_shelf_read_ahead (VendShelf *shelf, GPtrArray *sets);

/* Whether it waits to be fetched, or is. */
bool vend_shelf_is_fetching (VendShelf *shelf, const char *digest);
/* Why the last fetch failed; NULL: it did not. Free with g_free. */
char *vend_shelf_problem (VendShelf *shelf, const char *digest) G_GNUC_WARN_UNUSED_RESULT;
/* Whether an instance has it. */
bool vend_shelf_is_used (VendShelf *shelf, const char *digest, bool *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes the files of a set. CONFLICT when it is in use, pinned, cannot be fetched again or is
 * gone already. */
bool vend_shelf_remove (VendShelf *shelf, const VendWeightSet *set, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes the longest unused until all are within the limit. */
void vend_shelf_trim (VendShelf *shelf);
/* The same, and removes what a kill has left between two steps. */
void vend_shelf_sweep (VendShelf *shelf);
