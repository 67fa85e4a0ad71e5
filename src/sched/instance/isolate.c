/* How an instance is isolated. Core thread. */
#include "sched/instance/isolate.h"
#include "base/log.h"
#include "sched/instance/instance.h"
#include "sched/instance/zygotes.h"
#include "sched/target/target.h"
#include <string.h>

char *
vend_isolate_objection (const VendIsolationFound *found)
{
  if (found != NULL && found->kind == VEND_ISOLATION_SANDBOX)
    return NULL;
  return g_strdup_printf ("images run in a sandbox alone, and this machine makes none: %s",
                          found != NULL && found->why != NULL ? found->why
                                                              : "the reason is not known");
}

/* An image needs a sandbox also where other models go without. */
static const VendIsolationFound *
found_for (const Instance *instance)
{
  return instance->target->image != NULL ? instance->sched->image_isolation
                                         : instance->sched->isolation;
}

void
vend_isolate_start (Instance *instance)
{
  const VendIsolationFound *found = found_for (instance);
  instance->isolation = found != NULL ? found->kind : VEND_ISOLATION_NONE;
  instance->isolation_why = found != NULL ? g_strdup (found->why) : NULL;
  instance->network = (VendNetworkKind) instance->target->scaling.network;
  if (instance->isolation == VEND_ISOLATION_SANDBOX && instance->network == VEND_NETWORK_HOST)
    vend_log (VEND_LOG_WARN, "an instance has the network of this machine", "instance",
              instance->id, "model", instance->target->name, "note",
              "it reaches this server's ports and all that this machine reaches", NULL);
}

void
vend_isolate_adopt (Instance *instance, const json_t *spec)
{
  const json_t *isolation = json_object_get (spec, "isolation");
  const char *kind = vend_json_string (isolation, "kind");
  instance->isolation = VEND_ISOLATION_NONE;
  if (kind != NULL && !vend_isolation_parse (kind, &instance->isolation))
    instance->isolation = VEND_ISOLATION_NONE;
  instance->isolation_why = g_strdup (vend_json_string (isolation, "why"));
  const char *network = vend_json_string (isolation, "network");
  if (instance->isolation != VEND_ISOLATION_SANDBOX || network == NULL
      || !vend_network_parse (network, &instance->network))
    instance->network = VEND_NETWORK_HOST;
  if (instance->network != (VendNetworkKind) instance->target->scaling.network)
    vend_instance_drain (instance, "it was started with another network");
}

/* Whose instances these are: the owner of the deployment, or of the model. */
static char *
account_of (const Target *target)
{
  const char *name = target->deployment != NULL ? target->deployment : target->name;
  return g_strndup (name, strcspn (name, "/"));
}

/* What a model keeps is for its own account. One that another account has deployed keeps it apart:
 * from what it keeps for its owner, and from other models of that account. */
static char *
home_of (const Target *target)
{
  g_autofree char *account = account_of (target);
  g_autofree char *author = g_strndup (target->name, strcspn (target->name, "/"));
  g_autofree char *folder = strcmp (account, author) == 0
                                ? g_strdup (account)
                                : g_strdup_printf ("%s@%s", author, account);
  return g_build_filename (target->sched->data_dir, "homes", folder, NULL);
}

/* Numbers of accounts are given once. */
static json_int_t
user_of (const Instance *instance)
{
  const VendIsolationFound *found = found_for (instance);
  const bool own_user = found != NULL && found->own_user;
  return own_user ? (json_int_t) VEND_SANDBOX_FIRST_UID + instance->billing.account_id : 0;
}

/* ---- Zygotes */

const char *
vend_isolate_no_forks (const Instance *instance)
{
  switch (instance->isolation)
    {
    case VEND_ISOLATION_NONE:
      return NULL;
    case VEND_ISOLATION_LANDLOCK:
      return "a fork cannot be locked in without namespaces";
    default:
      break;
    }
  if (instance->network == VEND_NETWORK_HOST)
    return "a fork cannot enter the network of this machine";
  return instance->gpus != NULL ? "where its imports would be made there is no GPU" : NULL;
}

void
vend_isolate_zygote (const Instance *instance, VendZygoteSpec *spec)
{
  if (instance->isolation != VEND_ISOLATION_SANDBOX)
    return;
  spec->has_room = true;
  spec->user = (uid_t) user_of (instance);
  spec->home = home_of (instance->target);
  spec->env = vend_network_environment (instance->network, spec->env);
}

json_t *
vend_isolate_spec (const Instance *instance)
{
  const VendSched *sched = instance->sched;
  g_autofree char *home = home_of (instance->target);
  return json_pack ("{s:s, s:s?, s:b, s:s, s:s?, s:I, s:s, s:O*}", "kind",
                    vend_isolation_word (instance->isolation), "why", instance->isolation_why,
                    "required", (int) sched->isolation_required, "network",
                    vend_network_word (instance->network), "network_allow", sched->network_allow,
                    "user", user_of (instance), "home", home, "room", instance->room);
}
