/* Reads server-sent events as they arrive, in bounded memory. Pure; one thread per parser. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_SSE_MAX_CUTS 4
#define VEND_SSE_NAME_MAX 64

/* Events named `event`, by a name that comes before the data, have their JSON member `member` cut
 * to `keep` bytes while they are read; with a NULL member they are passed over. */
typedef struct
{
  const char *event;
  const char *member;
  gsize keep;
} VendSseCut;

/* `data` is NUL-terminated and borrowed. Returning false stops the reading: feed then fails too. */
typedef bool (*VendSseEvent) (const char *event, const char *data, gsize size, void *context);

typedef struct VendSse VendSse;

/* `cuts` ends with an entry whose event is NULL, or is NULL. Data of one event: at most `limit`. */
VendSse *vend_sse_new (gsize limit, const VendSseCut *cuts, VendSseEvent on_event, void *context)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_sse_free (VendSse *sse);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSse, vend_sse_free)

/* TOO_LARGE when one event passes the limit; CANCELED when on_event returned false. Final. */
bool vend_sse_feed (VendSse *sse, const char *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
