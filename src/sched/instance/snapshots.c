/* What a snapshot is made from. Its key is all that its setup() may depend on. */
#include "sched/instance/snapshots.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "runner/process-identity.h"
#include "sched/instance/instance-spec.h"
#include "sched/instance/secrets.h"
#include "sched/target/target.h"
#include "secrets/secrets.h"
#include <string.h>

#define KEY_LENGTH 32
#define MAX_KILLS 20

/* A training starts from nothing that another one has seen, and a GPU cannot be forked. */
static bool
may_have_one (const Instance *instance)
{
  const Target *target = instance->target;
  return target->scaling.snapshot != 0 && target->kind != VEND_KIND_TRAINING
         && instance->gpus == NULL && vend_json_string (target->launch, "predict") != NULL;
}

static char *
key_of (const Instance *instance, const VendZygoteSpec *imports)
{
  g_autoptr (GString) text = g_string_new (imports->key);
  g_string_append_printf (text, "\n%s\n%s\n%s\n", instance->target->version,
                          vend_instance_secrets_digest (instance),
                          vend_network_word (instance->network));
  /* Here those about the instance alone count. */
  for (gsize i = 0; imports->env[i] != NULL; i++)
    g_string_append_printf (text, "%s\n", imports->env[i]);
  g_autofree char *digest = vend_sha256_text (text->str);
  return g_strndup (digest, KEY_LENGTH);
}

VendZygoteSpec *
vend_snapshot_spec (const Instance *instance, const VendZygoteSpec *imports, const char *dir,
                    const char *launcher_dir)
{
  const char *version = instance->target->version;
  if (!may_have_one (instance))
    return NULL;
  VendZygoteSpec *spec = g_new0 (VendZygoteSpec, 1);
  const char *kind = imports->has_room ? VEND_ORDERS_SOCKET : VEND_ZYGOTE_SOCKET;
  g_autofree char *socket = g_strconcat (dir, "/", imports->key, kind, NULL);
  g_autofree char *path
      = g_strconcat (launcher_dir, ":", g_environ_getenv (imports->env, "PATH"), NULL);
  char **env = g_environ_setenv (g_strdupv (imports->env), "PATH", path, TRUE);
  env = g_environ_setenv (env, "VEND_LAUNCH_DIR", launcher_dir, TRUE);
  env = g_environ_setenv (env, "VEND_LAUNCH_PYTHON", imports->python, TRUE);
  env = g_environ_setenv (env, "VEND_LAUNCH_ZYGOTE", socket, TRUE);
  /* Its setup() may use them. */
  const VendSecretSet *set = instance->secrets;
  for (guint i = 0; set != NULL && i < set->names->len; i++)
    env = g_environ_setenv (env, g_ptr_array_index (set->names, i),
                            g_ptr_array_index (set->values, i), TRUE);
  spec->key = key_of (instance, imports);
  spec->python = g_strdup (imports->python);
  spec->env = env;
  spec->model = g_strdup (imports->model);
  spec->version = g_strdup (version);
  spec->source = vend_instance_source (instance, "src");
  spec->links = vend_instance_links (instance);
  spec->zygote = g_strdup (imports->key);
  spec->has_room = imports->has_room;
  spec->user = imports->user;
  spec->home = g_strdup (imports->home);
  spec->has_proxy = imports->has_room && instance->network == VEND_NETWORK_OUTBOUND;
  return spec;
}

void
vend_snapshot_dir_remove (const char *dir)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < MAX_KILLS && vend_process_kill_marked (dir) > 0; i++)
    ;
  if (!vend_tree_remove (dir, &error))
    vend_log (VEND_LOG_WARN, "a folder of a snapshot stays", "error", error->message, NULL);
}

void
vend_snapshots_sweep (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      if (!g_str_has_suffix (name, VEND_SNAPSHOT_DIR) && !g_str_has_suffix (name, VEND_TRIAL_DIR))
        continue;
      g_autofree char *path = g_build_filename (dir, name, NULL);
      vend_snapshot_dir_remove (path);
    }
}
