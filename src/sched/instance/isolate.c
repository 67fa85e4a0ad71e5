/* How an instance is isolated. Core thread. */
#include "sched/instance/isolate.h"
#include "base/hash.h"
#include "base/log.h"
#include "sched/instance/instance.h"
#include "sched/target/target.h"
#include <string.h>

#define USER_DIGITS 8 /* of a digest */

void
vend_isolate_start (Instance *instance)
{
  const VendIsolationFound *found = instance->sched->isolation;
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

static char *
owner_of (const Instance *instance)
{
  const char *name = instance->target->name;
  return g_strndup (name, strcspn (name, "/"));
}

/* Each account has a number of its own, but for a chance of one to a hundred million. */
static uid_t
user_of (const char *owner)
{
  g_autofree char *digest = vend_sha256_text (owner);
  digest[USER_DIGITS] = '\0';
  return VEND_SANDBOX_FIRST_UID + (uid_t) (g_ascii_strtoull (digest, NULL, 16) % VEND_SANDBOX_UIDS);
}

json_t *
vend_isolate_spec (const Instance *instance)
{
  const VendSched *sched = instance->sched;
  g_autofree char *owner = owner_of (instance);
  g_autofree char *home = g_build_filename (sched->data_dir, "homes", owner, NULL);
  const bool own_user = sched->isolation != NULL && sched->isolation->own_user;
  return json_pack ("{s:s, s:s?, s:b, s:s, s:s?, s:I, s:s}", "kind",
                    vend_isolation_word (instance->isolation), "why", instance->isolation_why,
                    "required", (int) sched->isolation_required, "network",
                    vend_network_word (instance->network), "network_allow", sched->network_allow,
                    "user", (json_int_t) (own_user ? user_of (owner) : 0), "home", home);
}
