/* A scheduler over a store in a temporary directory, on the default context, whose directors play
 * by a script (script-director.h). Aborts the test when something takes longer than
 * CORE_PATIENCE_S. */
#pragma once
#include "model/failure.h"
#include "sched/sched.h"
#include "script-director.h"

#define CORE_PATIENCE_S 30

/* What differs from one scheduler to the next. */
typedef struct
{
  guint slots;         /* of an instance; 0: one */
  guint max_instances; /* 0: one */
  guint account_max_running;
  bool never_again;  /* retry_safe is off */
  const char *boots; /* see fake-runner.h */
  int64_t idle_us;   /* after which an instance goes; 0: it stays */
  int64_t lease_us;  /* 0: longer than a test */
  const char *price; /* of hardware, as a setting; NULL: it has none */
} CoreSettings;

typedef struct Core Core;

/* Runs the tests that `add` adds, or is a director. */
int core_main (int argc, char **argv, void (*add) (void));

/* One who is told how a prediction stands. */
typedef struct
{
  Core *core;
  char *name; /* of the prediction, in tests */
  char *id;
  bool waits;        /* for the end */
  guint n;           /* how often it was told: the test fails at the second time */
  VendStatus status; /* as told */
  GError *error;     /* as told */
} Caller;

typedef struct
{
  /* Attempts are separated by "; ", acts by blanks: "start die; start succeed". */
  const char *script;
  const char *name;
  guint account;   /* 0: the first one */
  int64_t release; /* of the deployment; 0: there is no deployment */
  int64_t run_us;  /* how long it ran, as its director says; 0: SCRIPT_RUN_US */
  int64_t left_us; /* until its deadline; 0: it has none */
  bool waits;      /* the caller, for the end */
} CoreJob;

/* Runs until it is canceled. */
#define CORE_HOLD "start until-canceled cancel"

Core *core_new (const CoreSettings *settings);
/* Everything is as if nothing had been, and goes. */
void core_end (Core *core);
/* Takes the scheduler and its store apart; directors live on. */
void core_stop (Core *core);
/* The next start. */
void core_start (Core *core);
void core_begin_drain (Core *core);
bool core_is_drained (Core *core);
/* Until its directors are gone, so that all that they were told can be counted. */
void core_drain (Core *core);

/* Callers are the core's. */
Caller *core_create (Core *core, const CoreJob *job);
/* Some that succeed; `names` ends with NULL. */
void core_create_in_turn (Core *core, const char *const *names, guint account);
Caller *core_cancel (Core *core, const Caller *of);
/* Another one waits for its end. */
Caller *core_join (Core *core, const Caller *of);

/* Makes the first or second release of the only deployment, of a version each. */
void core_deploy (Core *core, int64_t number);
/* The release that takes predictions. */
int64_t core_serving (Core *core);
/* Of the first account. */
void core_set_budget (Core *core, const char *hard);

/* As it is on disk; NULL when it is not there. */
VendPrediction *core_row (Core *core, const Caller *of);
/* Begun by a director, as the disk says. */
bool core_is_processing (Core *core, const Caller *of);
/* How often directors were told or did this. */
guint core_count (Core *core, const char *what, const Caller *of, int attempt);
/* The runs that directors were told of, in their order: "A1 B1 A2" of names and attempts. Among
 * several directors at a time there is none. */
void core_assert_runs (Core *core, const char *expected);
bool core_has_queued (Core *core, int64_t n);
/* The director that runs it, as the disk says, stands still, or goes on. */
void core_pause (Core *core, const Caller *of, bool pauses);
/* For tests that need it: fake-runner.h. Borrowed. */
VendRunner *core_fake (Core *core);
VendSched *core_sched (Core *core);
json_t *core_describe (Core *core);
gsize core_count_instances (Core *core);
/* Of the only target, since an instance of it was ready. */
int64_t core_count_failed_boots (Core *core);
/* How many directors were started since the scheduler is there. */
int64_t core_starts (Core *core);

/* Of a prediction that has ended. */
typedef struct
{
  VendStatus status;
  const char *error_code;
  int attempt;
  guint n_lost;     /* attempts */
  int64_t taken_us; /* as metered; 0: nothing was */
} CoreEnd;

#define CORE_SUCCEEDED(attempt, n_lost) \
  { VEND_STATUS_SUCCEEDED, NULL, attempt, n_lost, SCRIPT_RUN_US }
#define CORE_LOST(attempt) { VEND_STATUS_FAILED, VEND_FAILURE_INSTANCE_LOST, attempt, attempt, 0 }
/* At the first attempt. */
extern const CoreEnd core_succeeded;
extern const CoreEnd core_canceled; /* after it began */

bool core_has_ended (Core *core, const Caller *of);
/* Waits for the end. */
void core_assert_end (Core *core, const Caller *of, const CoreEnd *expected);
/* Usage rows of all accounts. */
int64_t core_usage_rows (Core *core);

/* One turn of the main loop. `since_us` is when the wait for `condition` began. */
void core_turn (const char *place, const char *condition, int64_t since_us);
#define CORE_UNTIL(condition) \
  G_STMT_START \
  { \
    const int64_t core_since_us = g_get_monotonic_time (); \
    while (!(condition)) \
      core_turn (G_STRLOC, #condition, core_since_us); \
  } \
  G_STMT_END
