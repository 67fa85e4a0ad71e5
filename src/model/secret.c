/* Secrets that owners set for their models and deployments. */
#include "model/secret.h"
#include "base/error.h"
#include <string.h>

/* What Vend or its sandbox sets, and what makes the loader, the shell or Python run other code than
 * that of the version. */
static const char *const reserved[] = { "PATH",
                                        "HOME",
                                        "PWD",
                                        "OLDPWD",
                                        "SHLVL",
                                        "USER",
                                        "LOGNAME",
                                        "SHELL",
                                        "IFS",
                                        "ENV",
                                        "BASH_ENV",
                                        "LANG",
                                        "TMPDIR",
                                        "PORT",
                                        "TZDIR",
                                        "RUST_LOG",
                                        "GCONV_PATH",
                                        "GLIBC_TUNABLES",
                                        "VIRTUAL_ENV",
                                        "ALL_PROXY",
                                        "NO_PROXY",
                                        "HTTP_PROXY",
                                        "HTTPS_PROXY",
                                        "FTP_PROXY",
                                        "CUDA_VISIBLE_DEVICES",
                                        "NVIDIA_VISIBLE_DEVICES",
                                        "TOKIO_WORKER_THREADS" };
static const char *const reserved_prefixes[]
    = { "VEND_", "COG_", "COGLET_", "LD_", "PYTHON", "MALLOC_", "RUST_MIN_" };

void
vend_secret_free (VendSecret *secret)
{
  if (secret == NULL)
    return;
  g_free (secret->name);
  g_free (secret->sealed);
  g_free (secret);
}

/* Without regard to case, as programs read "http_proxy" and "HTTP_PROXY". */
static bool
is_reserved (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (g_ascii_strcasecmp (name, reserved[i]) == 0)
      return true;
  for (gsize i = 0; i < G_N_ELEMENTS (reserved_prefixes); i++)
    if (g_ascii_strncasecmp (name, reserved_prefixes[i], strlen (reserved_prefixes[i])) == 0)
      return true;
  return false;
}

bool
vend_secret_name_check (const char *name, GError **error)
{
  const gsize size = strlen (name);
  bool good = size > 0 && size <= VEND_SECRET_NAME_MAX && !g_ascii_isdigit (name[0]);
  for (gsize i = 0; i < size && good; i++)
    good = g_ascii_isalnum (name[i]) || name[i] == '_';
  if (!good)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "name '%.*s': expected the name of a variable such as HF_TOKEN: at most %d "
                      "letters, digits and '_', not begun by a digit",
                      VEND_SECRET_NAME_MAX, name, VEND_SECRET_NAME_MAX);
  return !is_reserved (name)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "name '%s': Vend sets this variable itself, or it changes which code runs; "
                       "choose another one",
                       name);
}

bool
vend_secret_value_check (const char *value, gsize size, GError **error)
{
  if (size == 0 || size > VEND_SECRET_VALUE_MAX)
    return vend_fail (error, VEND_ERROR_INVALID, "value: expected 1 to %d bytes, got %zu",
                      VEND_SECRET_VALUE_MAX, size);
  return (memchr (value, '\0', size) == NULL && g_utf8_validate (value, (gssize) size, NULL))
         || vend_fail (error, VEND_ERROR_INVALID, "value: expected text without NUL");
}
