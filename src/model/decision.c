/* Decisions of the scheduler, with their reasons. */
#include "model/decision.h"
#include <string.h>

static const char *const names[VEND_DECISION_N] = {
  [VEND_DECISION_START] = "start",
  [VEND_DECISION_READY] = "ready",
  [VEND_DECISION_STOP] = "stop",
  [VEND_DECISION_EVICT] = "evict",
  [VEND_DECISION_GONE] = "gone",
  [VEND_DECISION_BOOT_FAILED] = "boot-failed",
  [VEND_DECISION_QUEUE_FAILED] = "queue-failed",
  [VEND_DECISION_RETRY] = "retry",
  [VEND_DECISION_GIVE_UP] = "give-up",
  [VEND_DECISION_ABORT] = "abort",
  [VEND_DECISION_DEADLINE] = "deadline",
  [VEND_DECISION_ROLL] = "roll",
  [VEND_DECISION_FETCH] = "fetch",
};

const char *
vend_decision_kind_name (VendDecisionKind kind)
{
  return names[kind];
}

bool
vend_decision_kind_parse (const char *name, VendDecisionKind *out)
{
  for (guint i = 0; name != NULL && i < VEND_DECISION_N; i++)
    if (strcmp (names[i], name) == 0)
      {
        *out = (VendDecisionKind) i;
        return true;
      }
  return false;
}

void
vend_decision_free (VendDecision *decision)
{
  if (decision == NULL)
    return;
  g_free (decision->model);
  g_free (decision->version);
  g_free (decision->deployment);
  g_free (decision->instance);
  g_free (decision->prediction);
  g_free (decision->sentence);
  json_decref (decision->inputs);
  g_free (decision);
}

json_t *
vend_decision_to_json (const VendDecision *decision)
{
  json_t *object = json_object ();
  vend_json_set_int (object, "id", decision->id);
  vend_json_set_time (object, "at", decision->at_us);
  vend_json_set_string (object, "kind", names[decision->kind]);
  vend_json_set_string (object, "model", decision->model);
  vend_json_set_string (object, "version", decision->version);
  vend_json_set_string (object, "deployment", decision->deployment);
  vend_json_set_string (object, "instance", decision->instance);
  vend_json_set_string (object, "prediction", decision->prediction);
  vend_json_set_string (object, "sentence", decision->sentence);
  json_object_set (object, "inputs", decision->inputs);
  return object;
}
