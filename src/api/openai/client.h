/* A client that waits for runs of these endpoints: the last one that leaves cancels them, unless
 * the setting `openai-cancel` says otherwise. A client that sends its request again by itself when
 * its connection is lost has some time to do so. */
#pragma once
#include "api/handler.h"

/* Until a run whose client may come back is canceled, and a second more. */
#define VEND_OPENAI_RETURN_US (3 * G_GINT64_CONSTANT (1000000))

typedef struct VendOpenaiClient VendOpenaiClient;

VendOpenaiClient *vend_openai_client_new (VendApi *api, bool may_return);
/* Before anybody else knows of the client. */
void vend_openai_client_wait_for (VendOpenaiClient *client, const char *id);
/* It has closed its connection before the end. Once; any thread. `client` is a VendOpenaiClient. */
void vend_openai_client_left (void *client);
/* It has its reply, or has left. */
void vend_openai_client_free (void *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOpenaiClient, vend_openai_client_free)

/* Nobody waits for the rest of this run. Any thread. */
void vend_openai_cancel_run (VendApi *api, const char *id);
/* Cancels the runs that nobody came back for. Core thread, every second or so. */
void vend_openai_cancel_deserted (VendApi *api);
