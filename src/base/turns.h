/* Turns: the longest time without a poll of threads that must not block, the core thread and the
 * HTTP workers. For tests: nothing is measured without VEND_TURNS=1 in the environment. Time in
 * which a thread waited for a core of the machine does not count (where /proc/thread-self/schedstat
 * tells it); any other wait does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef enum
{
  VEND_TURNS_CORE,
  VEND_TURNS_HTTP,
  VEND_TURNS_KINDS,
} VendTurnsKind;

/* Measures the turns of this thread from now on, if turns are measured. Once a thread. */
void vend_turns_watch (VendTurnsKind kind);
/* The same for the thread that runs `context`. Before it runs. */
void vend_turns_watch_context (GMainContext *context);

/* Around the work of a turn. Cheap, and without effect on a thread that is not watched. */
void vend_turn_begin (void);
void vend_turn_end (void);
/* Names the current work of the turn; `what` stays valid as long as the process. */
void vend_turn_does (const char *what);

/* The longest turn of any thread of this kind, and the work that took most of it; false when
 * nothing is measured. Any thread. */
bool vend_turns_longest (VendTurnsKind kind, int64_t *out_us, const char **out_what);
