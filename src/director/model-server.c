/* Which kind of model server an instance gets. Main context. */
#include "director/model-server.h"
#include "director/worker-version.h"
#include <string.h>

#define FORCE_VARIABLE "VEND_MODEL_SERVER" /* for tests */

static const VendModelServerKind *const kinds[] = { &vend_http_server, &vend_worker_server };

VendModelServer *
vend_model_server_new (const VendModelServerKind *kind, const VendModelServerOptions *options)
{
  VendModelServer *server = kind->new ();
  server->kind = kind;
  server->options = *options;
  return server;
}

void
vend_model_server_free (VendModelServer *server)
{
  if (server != NULL)
    server->kind->free (server);
}

static const VendModelServerKind *
find_kind (const char *name)
{
  for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i]->name, name) == 0)
      return kinds[i];
  return NULL;
}

/* coglet's own start, which starts the worker; nothing is known of others. */
static bool
is_cog_command (char *const *argv)
{
  return g_strv_length ((char **) argv) == 3 && strcmp (argv[1], "-m") == 0
         && strcmp (argv[2], "cog.server.http") == 0;
}

const VendModelServerKind *
vend_model_server_choose (const VendSpec *spec, char **out_why)
{
  const VendModelServerKind *forced = find_kind (g_getenv (FORCE_VARIABLE));
  const VendModelServerKind *named = find_kind (spec->model_server);
  if (spec->has_root)
    {
      *out_why = g_strdup ("it is an image");
      return &vend_http_server;
    }
  if (!is_cog_command (spec->argv))
    {
      *out_why = g_strdup ("the command is not that of coglet's server");
      return &vend_http_server;
    }
  if (forced != NULL || named != NULL)
    {
      *out_why = g_strdup (forced != NULL ? FORCE_VARIABLE " says so" : "spec.json says so");
      return forced != NULL ? forced : named;
    }
  g_autofree char *version = vend_worker_version_find (spec->argv, spec->env);
  const bool known = version != NULL && vend_worker_version_is_known (version);
  *out_why = version == NULL
                 ? g_strdup ("the version of coglet is not known")
                 : g_strdup_printf ("the worker of coglet %s %s", version,
                                    known ? "is known" : "was not tried with this program");
  return known ? &vend_worker_server : &vend_http_server;
}
