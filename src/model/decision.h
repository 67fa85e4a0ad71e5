/* Decisions of the scheduler, with their reasons. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_DECISION_START,        /* an instance is started */
  VEND_DECISION_READY,        /* the instance takes predictions from now on */
  VEND_DECISION_STOP,         /* the instance is sent a stop */
  VEND_DECISION_EVICT,        /* the same, to make room for another model */
  VEND_DECISION_GONE,         /* the instance has ended */
  VEND_DECISION_BOOT_FAILED,  /* the instance did not become ready */
  VEND_DECISION_QUEUE_FAILED, /* after too many boot failures: queued predictions fail */
  VEND_DECISION_RETRY,        /* a lost or unstarted prediction goes back to the queue */
  VEND_DECISION_GIVE_UP,      /* a lost prediction is not retried */
  VEND_DECISION_ABORT,        /* a deadline passed before the start */
  VEND_DECISION_DEADLINE,     /* a deadline passed during the run */
  VEND_DECISION_ROLL,         /* a release takes over */
  VEND_DECISION_FETCH,        /* weights are brought before a start */
  VEND_DECISION_N
} VendDecisionKind;

/* "boot-failed" and the like. */
const char *vend_decision_kind_name (VendDecisionKind kind);
bool vend_decision_kind_parse (const char *name, VendDecisionKind *out);

typedef struct
{
  int64_t id; /* grows in the order of writing */
  int64_t at_us;
  VendDecisionKind kind;
  char *model;      /* "owner/name" */
  char *version;    /* or NULL */
  char *deployment; /* "owner/name", or NULL */
  char *instance;   /* or NULL */
  char *prediction; /* or NULL: about the whole target */
  char *sentence;   /* for people */
  json_t *inputs;   /* object: inputs of the decision */
} VendDecision;

void vend_decision_free (VendDecision *decision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDecision, vend_decision_free)
json_t *vend_decision_to_json (const VendDecision *decision);
