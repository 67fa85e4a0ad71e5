/* How many clients wait for each run of these endpoints. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendOpenaiFollowers VendOpenaiFollowers;

VendOpenaiFollowers *vend_openai_followers_new (void);
void vend_openai_followers_free (VendOpenaiFollowers *followers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOpenaiFollowers, vend_openai_followers_free)

void vend_openai_followers_join (VendOpenaiFollowers *followers, const char *id);
/* True when it was the last one. */
bool vend_openai_followers_leave (VendOpenaiFollowers *followers, const char *id);
/* The same of a client that may come back: when it was the last one, and nobody joins before
 * `due_us`, the run is deserted then. */
void vend_openai_followers_leave_until (VendOpenaiFollowers *followers, const char *id,
                                        int64_t due_us);
/* The ids of the runs that are deserted by now, once each. */
GPtrArray *vend_openai_followers_take_deserted (VendOpenaiFollowers *followers, int64_t now_us)
    G_GNUC_WARN_UNUSED_RESULT;
