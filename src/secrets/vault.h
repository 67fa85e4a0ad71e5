/* The key that secrets are stored under: AES-256-GCM, the key in a file of its own. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_VAULT_FILE "secrets.key"

typedef struct VendVault VendVault;

/* Reads DATA/secrets.key, or makes it (mode 0600, durable) with `make`; NOT_FOUND when there is
 * none and none is to be made. Blocks on disk. */
bool vend_vault_open (const char *data_dir, bool make, VendVault **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Wipes the key. */
void vend_vault_free (VendVault *vault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendVault, vend_vault_free)

/* `context` is where the text belongs: sealed text opens with the same context only, so that a row
 * cannot be put in the place of another. Two seals of a text differ. Free with g_free. */
char *vend_vault_seal (const VendVault *vault, const char *context, const char *text)
    G_GNUC_WARN_UNUSED_RESULT;
/* STORAGE when it was sealed under another key or in another context, or was changed. */
bool vend_vault_unseal (const VendVault *vault, const char *context, const char *sealed, char **out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes and frees a text; NULL is fine. */
void vend_secret_text_free (char *text);
