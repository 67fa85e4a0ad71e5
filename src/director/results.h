/* Ends of runs that the control plane has not acknowledged: kept, journaled when it takes longer
 * than a moment or nobody is connected, sent again to each new connection. Main context. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_RESULTS_MAX 1024 /* unacknowledged; then no new runs are taken */

typedef struct VendResults VendResults;

/* Takes up what DIR/journal still holds. */
bool vend_results_open (const char *dir, VendResults **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Blocks until everything unacknowledged is in the journal. */
void vend_results_free (VendResults *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendResults, vend_results_free)

/* Whether a control plane is; at first none is. What is in no journal when the connection ends goes
 * there at once. */
void vend_results_set_connected (VendResults *results, bool connected);

void vend_results_add (VendResults *results, const char *key, json_t *completed);
void vend_results_acknowledge (VendResults *results, const char *key);
/* Unacknowledged, or acknowledged a short while ago. */
bool vend_results_has (const VendResults *results, const char *key);
guint vend_results_count (const VendResults *results);

/* The keys of what is not acknowledged (owned). */
GPtrArray *vend_results_list (const VendResults *results) G_GNUC_WARN_UNUSED_RESULT;
/* NULL when it is acknowledged, or cannot be read. */
json_t *vend_results_dup_frame (VendResults *results, const char *key) G_GNUC_WARN_UNUSED_RESULT;
