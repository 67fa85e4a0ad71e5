/* The table of subcommands. */
#include "cli/commands.h"
#include <stddef.h>

const VendCommand vend_commands[] = {
  { "serve", "run the server", vend_cmd_serve },
  { "push", "build a version of a model from a directory", vend_cmd_push },
  { "run", "run a model and print or save what it returns", vend_cmd_run },
  { "train", "train a model", vend_cmd_train },
  { "cancel", "cancel a prediction", vend_cmd_cancel },
  { "logs", "print the logs of a prediction", vend_cmd_logs },
  { "models", "list, create, show and delete models", vend_cmd_models },
  { "versions", "list, show and delete versions of a model", vend_cmd_versions },
  { "predictions", "list and show predictions", vend_cmd_predictions },
  { "explain", "tell what happened to a prediction, and why", vend_cmd_explain },
  { "deployments", "list, create, change and delete deployments", vend_cmd_deployments },
  { "files", "list, upload, download and delete files, make links to them", vend_cmd_files },
  { "hardware", "list what models may run on", vend_cmd_hardware },
  { "top", "show queues, instances and hardware as they change", vend_cmd_top },
  { "usage", "sum up running time and what it costs", vend_cmd_usage },
  { "budget", "show and set what an account may spend in a month", vend_cmd_budget },
  { "decisions", "list what the scheduler decided and why", vend_cmd_decisions },
  { "tokens", "list, create and revoke API tokens", vend_cmd_tokens },
  { "webhooks", "list, replay and receive webhooks, show their signing key", vend_cmd_webhooks },
  { "config", "show the settings and where they come from", vend_cmd_config },
  { "advise", "tell which settings would suit what was asked so far", vend_cmd_advise },
  { "simulate", "show what a policy would make of a trace of requests", vend_cmd_simulate },
  { "doctor", "look at this machine and at the server", vend_cmd_doctor },
  { "director", NULL, vend_director_main },
  { "builder", NULL, vend_builder_main },
  { NULL, NULL, NULL },
};
