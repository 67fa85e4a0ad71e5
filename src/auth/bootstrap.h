/* The first start: an admin account and its token. */
#pragma once
#include "store/store.h"

#define VEND_BOOTSTRAP_ACCOUNT "VEND_BOOTSTRAP_ACCOUNT"
#define VEND_BOOTSTRAP_TOKEN "VEND_BOOTSTRAP_TOKEN"
#define VEND_BOOTSTRAP_TOKEN_FILE "VEND_BOOTSTRAP_TOKEN_FILE"

/* The values of those variables; NULL: not set. */
typedef struct
{
  char *account;
  char *token;
  char *token_file; /* has the token, for managers of services and of secrets that write files */
} VendBootstrapRequest;

void vend_bootstrap_request_clear (VendBootstrapRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendBootstrapRequest, vend_bootstrap_request_clear)
/* The token from its file, where one is named. Blocks on disk. */
bool vend_bootstrap_read_file (VendBootstrapRequest *request, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_bootstrap_check (const VendBootstrapRequest *request, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes the account and token that are asked for when they are not there; without a request, and
 * when there is no account at all, account `admin` with a random token, `*out_new` (free with
 * g_free; NULL otherwise), to be shown once. Writes DATA/cli.json (mode 0600: url, token, ca) for
 * the command line client of this machine. `ca` may be NULL. Before the core loop runs; blocks. */
bool vend_bootstrap (const VendBootstrapRequest *request, VendStore *store, const char *data_dir,
                     const char *url, const char *ca, char **out_new, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
