/* The release of each deployment that takes predictions, and the bounds of its instances. Core
 * thread. */
#pragma once
#include "sched/target/target.h"

typedef struct Deployment Deployment;

/* Sets the bounds of the target, and whether it is retired. */
void vend_target_refresh (Target *target);
/* Switches to new releases that are ready. */
void vend_deployments_switch (VendSched *sched);
bool vend_deployments_recover (VendSched *sched, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For vend_sched_describe. */
json_t *vend_deployments_describe (VendSched *sched);
void vend_deployment_state_free (Deployment *deployment);
