/* Secrets that owners set for their models and deployments: variables of the environment, write
 * only. Rules about names and values; no I/O. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_SECRET_NAME_MAX 64
#define VEND_SECRET_VALUE_MAX (32 * 1024)
#define VEND_SECRETS_MAX 64             /* of one model or deployment */
#define VEND_SECRETS_BYTES (128 * 1024) /* of their values together */
#define VEND_SECRET_LEAST_HIDDEN 8      /* bytes; a shorter value stands in too many texts */

/* Whose it is. The numbers are stored. */
typedef enum
{
  VEND_SECRET_OF_MODEL = 0,
  VEND_SECRET_OF_DEPLOYMENT = 1,
} VendSecretPlace;

typedef struct
{
  char *name;
  char *sealed; /* see secrets/vault.h */
  int64_t size; /* of the value in bytes */
  int64_t set_us;
} VendSecret;

void vend_secret_free (VendSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSecret, vend_secret_free)

/* INVALID unless `name` may be a variable of a model: letters, digits and '_', not begun by a
 * digit, and none that Vend sets or that changes which code a start runs. */
bool vend_secret_name_check (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* INVALID unless `value` has 1 to VEND_SECRET_VALUE_MAX bytes of UTF-8 without NUL. */
bool vend_secret_value_check (const char *value, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
