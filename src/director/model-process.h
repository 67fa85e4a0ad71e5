/* The model server as a process: own process group, its workspace, captured stderr. Lives on one
 * GMainContext. When the director dies the kernel kills the server. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "director/limits.h"
#include "sandbox/room.h"
#include "sandbox/sandbox.h"
#include "workspace/workspace.h"

#define VEND_MODEL_LINE_MAX ((gsize) 64 * 1024) /* what is longer is cut */

typedef struct VendModelProcess VendModelProcess;

typedef struct
{
  /* One line of stderr, NUL-terminated, without its newline. */
  void (*on_line) (const char *line, gsize size, void *context);
  /* The sandbox is there, and nothing of the model runs in it before this returns. False: it is to
   * end, and that was told. Only with a sandbox that has namespaces. */
  bool (*on_sandbox) (pid_t first, void *context);
  /* The server has ended (a wait status) and all its lines have been delivered. Once. */
  void (*on_exit) (int status, void *context);
} VendModelEvents;

typedef struct
{
  const char *dir;
  char *const *argv;
  char *const *env;
  bool takes_channel; /* its stdin and stdout are pipes to here: vend_model_process_take_channel */
  const VendModelLimits *limits;  /* must stay until the process is freed */
  const VendWorkspace *workspace; /* with its copy made */
  VendSandbox *sandbox;           /* with `argv` and `env` in it; NULL: there is none */
  const VendRoom *room;           /* that the sandbox is nested in; NULL: none */
  GMainContext *main_context;
  const VendModelEvents *events;
  void *context;
} VendModelOptions;

/* Also writes DIR/model.pid: in a sandbox a moment later. */
bool vend_model_process_start (const VendModelOptions *options, VendModelProcess **out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* 0 once it has ended. */
pid_t vend_model_process_pid (const VendModelProcess *process);

/* `pid` stands for the one that was started: its fork, in the same sandbox. */
void vend_model_process_forked (VendModelProcess *process, pid_t pid);

/* What it reads as stdin and writes to stdout, both not blocking; once, with `takes_channel`. */
void vend_model_process_take_channel (VendModelProcess *process, int *out_to, int *out_from);

/* The most memory that the server itself has held, without its workers; 0: not known. It stays
 * after its end. */
uint64_t vend_model_process_peak (const VendModelProcess *process);
/* To the whole process group; nothing once it has ended. */
void vend_model_process_signal (VendModelProcess *process, int signal_number);

/* Kills what is left, ended or not, including processes that left the group. */
void vend_model_process_free (VendModelProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendModelProcess, vend_model_process_free)
