/* The one way to URLs that come from somebody else: http and https only, to public addresses and
 * those that an operator allowed. The address that a connection is really made to is what counts,
 * so neither names that change their address nor redirects get past. Connections are not shared
 * with anybody else, since a reused one would not be looked at again. Runs on the thread of its
 * context; nothing blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/network.h"

#define VEND_OUTSIDE_URL_MAX 2048

typedef struct VendOutside VendOutside;
typedef struct VendOutsideCall VendOutsideCall;

typedef struct
{
  long status; /* of the last answer; 0 = there was none */
  const char *content_type;
  const char *problem; /* why it failed, for people; NULL when an answer came whole */
  bool too_large;      /* its body passed max_size */
} VendOutsideAnswer;

typedef struct
{
  const char *url;
  const char *const *headers; /* "name: value", NULL-terminated; or NULL */
  const char *body;           /* POST when not NULL; stays the caller's until the end */
  gsize body_size;
  guint max_redirects; /* 0: none is followed */
  int64_t timeout_us;  /* for all of it; 0 = none */
  int64_t stall_us;    /* slower than min_speed for this long ends it; 0 = never */
  uint64_t min_speed;  /* bytes a second; 0: it is silence that ends it */
  uint64_t max_size;   /* of the answer's body; with a sink, also of what it announces */
  /* Takes the body of the answer; false ends the call. NULL throws it away. */
  bool (*sink) (const char *bytes, gsize size, void *data);
  /* Once, unless it is canceled; the call is freed after it. */
  void (*done) (const VendOutsideAnswer *answer, void *data);
  void *data;
} VendOutsideRequest;

/* `allow` is borrowed; `setting` is its name, for messages: "webhook-allow". */
VendOutside *vend_outside_new (GMainContext *context, const VendNetworks *allow,
                               const char *setting) G_GNUC_WARN_UNUSED_RESULT;
/* Every call must have ended or be canceled. */
void vend_outside_free (VendOutside *outside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOutside, vend_outside_free)

VendOutsideCall *vend_outside_start (VendOutside *outside, const VendOutsideRequest *request)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends it without `done`. Not from inside `sink`. */
void vend_outside_cancel (VendOutsideCall *call);

/* What can be said of a URL without asking anybody: INVALID, naming `field`, unless it is http or
 * https, has a host, no user or password, at most VEND_OUTSIDE_URL_MAX bytes, and its host is no
 * address (in any notation) that would be refused. Any thread. */
bool vend_outside_check (const char *field, const char *url, const VendNetworks *allow,
                         const char *setting, GError **error) G_GNUC_WARN_UNUSED_RESULT;
