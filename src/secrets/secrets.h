/* The secrets of those who run: what a model or a deployment has in the store, opened. Inside a
 * transaction; any thread. */
#pragma once
#include "model/secret.h"
#include "secrets/vault.h"
#include "store/db.h"

/* What an instance gets: those of its model, and those of its deployment over them. */
typedef struct VendSecretSet
{
  GPtrArray *names;  /* of char *, in order */
  GPtrArray *values; /* beside them; wiped when they are freed */
  char *digest;      /* changes whenever one is set or removed, and tells nothing of the values */
} VendSecretSet;

void vend_secret_set_free (VendSecretSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSecretSet, vend_secret_set_free)

/* `deployment` is "owner/name", or NULL; one that is not there has no secrets. With a `vault` the
 * values are opened, without one only names and digest are read. */
bool vend_secret_set_read (VendDb *db, const VendVault *vault, int64_t model_id,
                           const char *deployment, VendSecretSet **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* NULL when there is none of that name. */
const char *vend_secret_set_find (const VendSecretSet *set, const char *name);

/* The text that a secret is sealed with. Free with g_free. */
char *vend_secret_context (VendSecretPlace place, int64_t id, const char *name)
    G_GNUC_WARN_UNUSED_RESULT;
