/* Declarations that the files of `vend webhooks` share. Main thread only. */
#pragma once
#include "cli/client/client.h"

/* The account's signing key. Free with g_free. */
bool vend_webhooks_fetch_key (VendClient *client, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `vend webhooks listen`. */
bool vend_webhooks_listen (int argc, char **argv, GError **error);
