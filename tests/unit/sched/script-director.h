/* A director without a model: it does what the input of each run says, and notes what it was told,
 * "run ID ATTEMPT" a line. Its host is a process (script-process.h) or a runner of tests
 * (fake-runner.h).
 *
 * The input has `acts`, a list of acts for each attempt; the last list is for later ones too. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* Of a run that ended: completed_us - started_us, when the input has no `run_us`. */
#define SCRIPT_RUN_US 1000000
/* Of all directors. */
#define SCRIPT_FRAME_LIMIT vend_frame_limit (1 << 20, 1 << 20)

/* How it boots, once it is connected. */
#define SCRIPT_BOOT "ready"
#define SCRIPT_BOOT_FAILS "setup-fails"
#define SCRIPT_BOOT_DIES "dies-in-setup"

typedef struct ScriptDirector ScriptDirector;

typedef enum
{
  SCRIPT_STOPS,
  SCRIPT_DIES,
} ScriptEnd;

typedef struct
{
  /* Take `frame`; it goes nowhere while nobody is connected. */
  void (*send) (json_t *take_frame, void *data);
  void (*send_later) (json_t *take_frame, void *data);
  void (*note) (const char *line, void *data);
  /* In the journal. */
  void (*keep) (const json_t *completed, void *data);
  /* The director ends as soon as all is sent; it is freed later. */
  void (*leave) (ScriptEnd end, void *data);
} ScriptHost;

/* `host` is borrowed. */
ScriptDirector *script_director_new (guint slots, const char *boot_act, const ScriptHost *host,
                                     void *data);
void script_director_free (ScriptDirector *director);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScriptDirector, script_director_free)

void script_director_connected (ScriptDirector *director);
void script_director_disconnected (ScriptDirector *director);
/* Borrowed. */
void script_director_command (ScriptDirector *director, json_t *command);
