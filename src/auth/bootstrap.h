/* The first start: an admin account and a token, so that somebody can get in. */
#pragma once
#include "store/store.h"

/* Makes the account and token named by VEND_BOOTSTRAP_ACCOUNT and VEND_BOOTSTRAP_TOKEN when they
 * are set and not there; otherwise, when there is no account at all, account `admin` with a random
 * token that is printed once. Writes DATA/cli.json (mode 0600: url, token, ca) for the command line
 * client of this machine. `ca` may be NULL. Before the core loop runs; blocks. */
bool vend_bootstrap (VendStore *store, const char *data_dir, const char *url, const char *ca,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
