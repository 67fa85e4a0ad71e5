/* Secrets of instances. Core thread; the store is read on the disk pool. */
#include "sched/instance/secrets.h"
#include "base/log.h"
#include "sched/target/target.h"
#include "secrets/secrets.h"
#include "store/store.h"
#include <string.h>

/* ---- Before a start */

typedef struct
{
  Instance *instance;
  InstanceSecretsRead then;
  char *deployment;
  int64_t model_id;
  VendSecretSet *set;
  GError *error;
} Reading;

static void
read_set (void *data)
{
  Reading *job = data;
  const VendSched *sched = job->instance->sched;
  g_auto (VendReader) reader = vend_reader (sched->store);
  if (!vend_secret_set_read (reader.db, sched->vault, job->model_id, job->deployment, &job->set,
                             &job->error))
    g_assert (job->error != NULL);
}

static void
read_done (void *data)
{
  g_autofree Reading *job = data;
  g_autofree char *deployment G_GNUC_UNUSED = job->deployment;
  g_autoptr (GError) error = job->error;
  Instance *instance = job->instance;
  instance->secrets = job->set;
  job->then (instance, error != NULL ? error->message : NULL);
}

void
vend_instance_read_secrets (Instance *instance, InstanceSecretsRead then)
{
  const Target *target = instance->target;
  if (instance->sched->vault == NULL)
    {
      then (instance, NULL);
      return;
    }
  Reading *job = g_new0 (Reading, 1);
  *job = (Reading){ .instance = instance,
                    .then = then,
                    .deployment = g_strdup (target->deployment),
                    .model_id = target->model_id };
  vend_sched_on_disk (instance->sched, read_set, read_done, job);
}

const char *
vend_instance_secrets_digest (const Instance *instance)
{
  const VendSecretSet *set = instance->secrets;
  return set != NULL && set->names->len > 0 ? set->digest : "";
}

void
vend_instance_hide_secrets (const Instance *instance, json_t *env)
{
  const VendSecretSet *set = instance->secrets;
  if (set == NULL || set->names->len == 0)
    return;
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < set->names->len; i++)
    {
      const char *name = g_ptr_array_index (set->names, i);
      json_object_del (env, name);
      g_string_append_printf (names, "%s%s", i > 0 ? "," : "", name);
    }
  /* A zygote has no secrets, and must know which variables it lacks. */
  vend_json_set_string (env, "VEND_SECRET_NAMES", names->str);
}

/* ---- Changes */

static const char changed_reason[] = "its secrets were changed";

void
vend_instance_check_secrets (Instance *instance, VendDb *db, const char *digest)
{
  const Target *target = instance->target;
  g_autoptr (VendSecretSet) now = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_secret_set_read (db, NULL, target->model_id, target->deployment, &now, &error))
    {
      vend_log (VEND_LOG_ERROR, "cannot read the secrets of an instance", "instance", instance->id,
                "error", error->message, NULL);
      return;
    }
  if (strcmp (digest, now->names->len > 0 ? now->digest : "") != 0)
    vend_instance_drain (instance, changed_reason);
}

typedef struct
{
  VendSched *sched;
  int64_t model_id;
  char *deployment;
  VendSchedSettled settled;
  void *data;
} Change;

static void
change_on_core (void *data)
{
  g_autofree Change *change = data;
  g_autofree char *deployment = change->deployment;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, change->sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (deployment != NULL ? g_strcmp0 (target->deployment, deployment) == 0
                             : target->model_id == change->model_id)
        vend_target_renew (target, changed_reason);
    }
  vend_sched_reconcile_soon (change->sched);
  change->settled (change->data);
}

void
vend_sched_secrets_changed (VendSched *sched, int64_t model_id, const char *deployment,
                            VendSchedSettled settled, void *data)
{
  Change *change = g_new0 (Change, 1);
  *change = (Change){ sched, model_id, g_strdup (deployment), settled, data };
  vend_inbox_post (sched->inbox, change_on_core, change);
}
