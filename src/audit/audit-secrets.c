/* Whether every secret can still be opened. */
#include "audit/audit-private.h"
#include "base/error.h"
#include "secrets/secrets.h"
#include "store/secrets.h"

typedef struct
{
  Audit *audit;
  const VendVault *vault; /* NULL: there is no key */
} Look;

static void
seen_secret (VendSecretPlace place, int64_t id, const VendSecret *secret, void *data)
{
  const Look *look = data;
  g_autofree char *context = vend_secret_context (place, id, secret->name);
  g_autoptr (GError) error = NULL;
  char *value = NULL;
  if (look->vault == NULL)
    vend_audit_found (look->audit, CHECK_SECRETS, context, "there is no '%s'", VEND_VAULT_FILE);
  else if (!vend_vault_unseal (look->vault, context, secret->sealed, &value, &error))
    vend_audit_found (look->audit, CHECK_SECRETS, context, "%s", error->message);
  vend_secret_text_free (value);
}

bool
vend_audit_secrets (Audit *audit, GError **error)
{
  g_autoptr (VendVault) vault = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_vault_open (audit->options->data_dir, false, &vault, &problem)
      && problem->code != VEND_ERROR_NOT_FOUND)
    vend_audit_found (audit, CHECK_SECRETS, VEND_VAULT_FILE, "%s", problem->message);
  Look look = { audit, vault };
  return vend_store_secret_each (audit->db, seen_secret, &look, error);
}
