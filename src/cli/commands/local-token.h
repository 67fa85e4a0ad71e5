/* `vend tokens create --local`: a token from whoever may write the database, also when all others
 * are lost. Main thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  const char *name;
  const char *account;  /* NULL: the oldest one */
  const char *data_dir; /* NULL: that of this user */
  guint scopes;
} VendLocalToken;

/* Beside a running server, which knows the token at once, and without one. `*out` is the token as
 * the API shows a new one. FORBIDDEN when the data directory is not this user's to write. */
bool vend_local_token_create (const VendLocalToken *request, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
