/* How long threads that must not block were busy at a stretch: the core thread from one poll to the
 * next, an HTTP worker in the same way. For tests: nothing is measured without VEND_TURNS=1 in the
 * environment. Time in which a thread waited for a core of the machine does not count (where
 * /proc/thread-self/schedstat tells it), time in which it waited for anything else does. */
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

/* From now on turns of this thread are measured, if any are. Once a thread. */
void vend_turns_watch (VendTurnsKind kind);
/* The same for the thread that runs `context`. Before it runs. */
void vend_turns_watch_context (GMainContext *context);

/* Around what a turn does. Cheap, and nothing on a thread that is not watched. */
void vend_turn_begin (void);
void vend_turn_end (void);
/* From here on the turn does this; `what` stays valid as long as the process. */
void vend_turn_does (const char *what);

/* The longest turn of any thread of this kind and what took most of it; false when none is
 * measured. Any thread. */
bool vend_turns_longest (VendTurnsKind kind, int64_t *out_us, const char **out_what);
