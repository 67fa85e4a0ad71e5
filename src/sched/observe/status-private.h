/* The copy of the state between the core thread and the text of vend_sched_status. */
#pragma once
#include <stdint.h>

#include "json/json.h"
#include "sched/instance/instance.h"

/* Queues and instances beyond these are only counted. */
#define VEND_STATUS_MAX_QUEUES 500
#define VEND_STATUS_MAX_INSTANCES 500

typedef struct
{
  char *model;
  char *deployment; /* or NULL */
  char *version;
  char *hardware;
  guint waiting;
  guint accounts;
  guint running;
  guint slots;
  guint min;
  guint max;
  guint boot_failures;
  guint states[INSTANCE_GONE + 1];
  int64_t oldest_us;
  double boot_us;
  double run_us;
} VendQueueView;

typedef struct
{
  char *id;
  char *model;
  char *deployment; /* or NULL */
  char *version;
  char *hardware;
  InstanceState state;
  bool draining;
  guint running;
  guint slots;
  int64_t created_us;
  GArray *gpus; /* of guint: indexes */
} VendInstanceView;

typedef struct
{
  int64_t now_us;
  GArray *queues;    /* of VendQueueView */
  GArray *instances; /* of VendInstanceView */
  guint queues_left_out;
  guint instances_left_out;
  json_t *rest; /* small members */
} VendStatusView;

/* Core thread. */
VendStatusView *vend_status_view (const VendSched *sched, int64_t now_us) G_GNUC_WARN_UNUSED_RESULT;
void vend_status_view_free (VendStatusView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendStatusView, vend_status_view_free)
/* Sets the scheduler's members of `out`. Any thread. */
void vend_status_describe (const VendStatusView *view, json_t *out);
/* Numbers of instances, by state. */
json_t *vend_status_states_json (const guint *n) G_GNUC_WARN_UNUSED_RESULT;
