/* The one way to URLs from users: http and https only, to public addresses and networks that the
 * operator allowed. Each connection is checked by its real address, so neither changing names nor
 * redirects get past. Connections are not shared with other code, since a reused connection is not
 * checked again. Runs on the thread of its context; nothing blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/network.h"

#define VEND_OUTSIDE_URL_MAX 2048

typedef struct VendEgress VendEgress;
typedef struct VendEgressCall VendEgressCall;

typedef struct
{
  long status; /* of the last answer; 0 = none */
  const char *content_type;
  const char *problem; /* why it failed, for people; NULL for a complete answer */
  bool too_large;      /* the body passed max_size */
} VendEgressResponse;

typedef struct
{
  const char *url;
  const char *const *headers; /* "name: value", NULL-terminated; or NULL */
  const char *body;           /* POST when not NULL; owned by the caller until the end */
  gsize body_size;
  guint max_redirects; /* 0: redirects are not followed */
  int64_t timeout_us;  /* for the whole call; 0 = none */
  int64_t stall_us;    /* slower than min_speed for this long ends it; 0 = never */
  uint64_t min_speed;  /* bytes a second; 0: only silence counts */
  uint64_t max_size;   /* of the answer's body; with a sink, also of its Content-Length */
  /* Takes the body of the answer; false ends the call. NULL drops the body. */
  bool (*sink) (const char *bytes, gsize size, void *data);
  /* Once, unless canceled; the call is freed after it. */
  void (*done) (const VendEgressResponse *answer, void *data);
  void *data;
} VendEgressRequest;

/* `allow` is borrowed; `setting` is its name, for messages: "webhook-allow". */
VendEgress *vend_egress_new (GMainContext *context, const VendNetworks *allow, const char *setting)
    G_GNUC_WARN_UNUSED_RESULT;
/* Every call must have ended or be canceled. */
void vend_egress_free (VendEgress *egress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendEgress, vend_egress_free)

VendEgressCall *vend_egress_start (VendEgress *egress, const VendEgressRequest *request)
    G_GNUC_WARN_UNUSED_RESULT;
/* The status of the answer whose bytes the sink gets; 0 = none yet. */
long vend_egress_status (const VendEgressCall *call);
/* Ends the call without `done`. Not from inside `sink`. */
void vend_egress_cancel (VendEgressCall *call);

/* Checks of a URL without a look-up: INVALID, naming `field`, unless the URL is http or https, has
 * a host, no user or password, at most VEND_OUTSIDE_URL_MAX bytes, and its host is no refused
 * address (in any notation). Any thread. */
bool vend_egress_check (const char *field, const char *url, const VendNetworks *allow,
                        const char *setting, GError **error) G_GNUC_WARN_UNUSED_RESULT;
