/* What the scheduler decided, and why. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_DECISION_START,        /* an instance is started */
  VEND_DECISION_READY,        /* it takes predictions from now on */
  VEND_DECISION_STOP,         /* it is told to stop */
  VEND_DECISION_EVICT,        /* the same, to make room for another model */
  VEND_DECISION_GONE,         /* it has ended */
  VEND_DECISION_BOOT_FAILED,  /* it did not become ready */
  VEND_DECISION_QUEUE_FAILED, /* so often that those who wait get an error */
  VEND_DECISION_RETRY,    /* a prediction that was lost, or did not begin, goes back to the queue */
  VEND_DECISION_GIVE_UP,  /* or does not */
  VEND_DECISION_ABORT,    /* a deadline passed before the start */
  VEND_DECISION_DEADLINE, /* or during the run */
  VEND_DECISION_ROLL,     /* a release takes over */
  VEND_DECISION_N
} VendDecisionKind;

/* "boot-failed" and the like. */
const char *vend_decision_kind_name (VendDecisionKind kind);
bool vend_decision_kind_parse (const char *name, VendDecisionKind *out);

typedef struct
{
  int64_t id; /* counts up in the order of writing */
  int64_t at_us;
  VendDecisionKind kind;
  char *model;      /* "owner/name" */
  char *version;    /* or NULL */
  char *deployment; /* "owner/name", or NULL */
  char *instance;   /* or NULL */
  char *prediction; /* or NULL: about all of them */
  char *sentence;   /* for people */
  json_t *inputs;   /* object: what it was decided from */
} VendDecision;

void vend_decision_free (VendDecision *decision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDecision, vend_decision_free)
json_t *vend_decision_to_json (const VendDecision *decision);
