/* Clients that wait for runs of these endpoints: the last one that leaves cancels its run. A client
 * that sends its request again may be there before the server knows that it has left. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct VendOpenaiFollowers VendOpenaiFollowers;

VendOpenaiFollowers *vend_openai_followers_new (void);
void vend_openai_followers_free (VendOpenaiFollowers *followers);

/* Any thread. */
void vend_openai_followers_join (VendOpenaiFollowers *followers, const char *id);
/* True when it was the last one. */
bool vend_openai_followers_leave (VendOpenaiFollowers *followers, const char *id);
