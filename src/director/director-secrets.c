/* The director's secrets: taken over at the start, given to the model, kept out of what it says.
 * Main context. */
#include "base/error.h"
#include "base/fd.h"
#include "director/director-private.h"
#include "model/secret.h"
#include "runner/runner.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* As JSON a byte takes at most six. */
#define MAX_TEXT ((gsize) 2 * VEND_SECRETS_BYTES * 6 + ((gsize) 1 << 16))

static bool
read_values (json_t **out, GError **error)
{
  char *text = NULL;
  gsize size = 0;
  if (!vend_fd_read_all (STDIN_FILENO, "secrets", MAX_TEXT, &text, &size, error))
    return false;
  const bool parsed = vend_json_parse (text, size, out, error);
  explicit_bzero (text, size);
  g_free (text);
  return parsed;
}

static bool
take_values (VendDirector *director, const json_t *values, GError **error)
{
  VendSpec *spec = director->spec;
  director->redactor = vend_redactor_new ();
  for (char **name = spec->secrets; *name != NULL; name++)
    {
      const char *value = vend_json_string (values, *name);
      if (value == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "the secret %s was not handed over", *name);
      spec->env = g_environ_setenv (spec->env, *name, value, TRUE);
      vend_redactor_add (director->redactor, *name, value);
    }
  return true;
}

static bool
close_input (GError **error)
{
  vend_autofd null_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return (null_fd >= 0 && dup2 (null_fd, STDIN_FILENO) >= 0)
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '/dev/null'");
}

bool
vend_director_take_secrets (VendDirector *director, GError **error)
{
  json_auto_t *values = NULL;
  if (director->spec->secrets[0] == NULL && !director->spec->has_uplink)
    return true;
  if (!read_values (&values, error) || !take_values (director, values, error))
    return false;
  director->uplink_given = json_incref (json_object_get (values, VEND_RUNNER_UPLINK));
  return close_input (error);
}
