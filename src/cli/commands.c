/* The table of subcommands. */
#include "cli/commands.h"
#include <stddef.h>

const VendCommand vend_commands[] = {
  { "serve", "run the server", vend_cmd_serve },
  { "push", "build a version of a model from a directory", vend_cmd_push },
  { "examples", "list, show and push the example models of Vend", vend_cmd_examples },
  { "run", "run a model and print or save its output", vend_cmd_run },
  { "train", "train a model", vend_cmd_train },
  { "cancel", "cancel a prediction or training", vend_cmd_cancel },
  { "logs", "print the logs of a prediction or training", vend_cmd_logs },
  { "models", "list, create, show and delete models", vend_cmd_models },
  { "versions", "list, show, compare and delete versions of a model", vend_cmd_versions },
  { "predictions", "list and show predictions and trainings", vend_cmd_predictions },
  { "explain", "explain the course of a prediction, with reasons", vend_cmd_explain },
  { "deployments", "list, create, change and delete deployments", vend_cmd_deployments },
  { "files", "list, upload, download and delete files, make download links", vend_cmd_files },
  { "hardware", "list the hardware that models may run on", vend_cmd_hardware },
  { "top", "show queues, instances and hardware as they change", vend_cmd_top },
  { "usage", "show the usage of a month and its cost", vend_cmd_usage },
  { "budget", "show and set the monthly budget of an account", vend_cmd_budget },
  { "decisions", "list the scheduler's decisions, with reasons", vend_cmd_decisions },
  { "login", "print a link that signs a browser in to the web page", vend_cmd_login },
  { "tokens", "list, create and revoke API tokens", vend_cmd_tokens },
  { "webhooks", "list, replay and receive webhooks, show their signing key", vend_cmd_webhooks },
  { "config", "show the settings and their sources", vend_cmd_config },
  { "advise", "recommend scaling settings from the request history", vend_cmd_advise },
  { "simulate", "simulate scheduling policies on a trace of requests", vend_cmd_simulate },
  { "doctor", "check this machine and the server", vend_cmd_doctor },
  { "director", NULL, vend_director_main },
  { "builder", NULL, vend_builder_main },
  { NULL, NULL, NULL },
};
