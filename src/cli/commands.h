/* The table of subcommands. Each returns a process exit code: 0 good, 1 failed, 2 bad usage. */
#pragma once

/* argv[0] is the command's name. */
typedef int (*VendCommandMain) (int argc, char **argv);

typedef struct
{
  const char *name;
  const char *help; /* one line; NULL hides it from `vend help` */
  VendCommandMain main;
} VendCommand;

/* Ends with a NULL name. */
extern const VendCommand vend_commands[];

int vend_cmd_serve (int argc, char **argv);
int vend_cmd_push (int argc, char **argv);
int vend_cmd_export (int argc, char **argv);
int vend_cmd_import (int argc, char **argv);
int vend_cmd_run (int argc, char **argv);
int vend_cmd_train (int argc, char **argv);
int vend_cmd_cancel (int argc, char **argv);
int vend_cmd_login (int argc, char **argv);
int vend_cmd_logs (int argc, char **argv);
int vend_cmd_models (int argc, char **argv);
int vend_cmd_versions (int argc, char **argv);
int vend_cmd_weights (int argc, char **argv);
int vend_cmd_predictions (int argc, char **argv);
int vend_cmd_examples (int argc, char **argv);
int vend_cmd_explain (int argc, char **argv);
int vend_cmd_usage (int argc, char **argv);
int vend_cmd_budget (int argc, char **argv);
int vend_cmd_decisions (int argc, char **argv);
int vend_cmd_deployments (int argc, char **argv);
int vend_cmd_files (int argc, char **argv);
int vend_cmd_agent (int argc, char **argv);
int vend_cmd_hardware (int argc, char **argv);
int vend_cmd_machines (int argc, char **argv);
int vend_cmd_top (int argc, char **argv);
int vend_cmd_secrets (int argc, char **argv);
int vend_cmd_tokens (int argc, char **argv);
int vend_cmd_webhooks (int argc, char **argv);
int vend_cmd_backup (int argc, char **argv);
int vend_cmd_restore (int argc, char **argv);
int vend_cmd_migrate_storage (int argc, char **argv);
int vend_cmd_doctor (int argc, char **argv);
int vend_cmd_config (int argc, char **argv);
int vend_cmd_advise (int argc, char **argv);
int vend_cmd_simulate (int argc, char **argv);

/* Processes that Vend starts itself. */
int vend_director_main (int argc, char **argv);
int vend_builder_main (int argc, char **argv);
