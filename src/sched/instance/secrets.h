/* Secrets of instances: read before a start, followed when they change. Core thread. */
#pragma once
#include "sched/instance/instance.h"

/* `problem` is NULL when `instance->secrets` is there. */
typedef void (*InstanceSecretsRead) (Instance *instance, const char *problem);

/* Reads what the instance is to get; `then` is called from the main loop. */
void vend_instance_read_secrets (Instance *instance, InstanceSecretsRead then);
/* An adopted instance that was started with other secrets finishes its runs and ends. Blocks on the
 * store. */
void vend_instance_check_secrets (Instance *instance, VendDb *db, const char *digest);
/* What a start with them is told apart by: "" without any. */
const char *vend_instance_secrets_digest (const Instance *instance);
/* Removes from `env` what secrets take the place of, and adds their names. */
void vend_instance_hide_secrets (const Instance *instance, json_t *env);
