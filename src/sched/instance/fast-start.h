/* How instances start: forked from a snapshot, from a zygote, or plainly and why. A version's
 * imports are written down when it starts plainly for the first time, and loaded ahead from then
 * on; when that is still slow its setup is run ahead as well. Core thread. */
#pragma once
#include "json/json.h"
#include "sched/instance/instance.h"

FastStart *vend_fast_start_new (VendSched *sched);
void vend_fast_start_free (FastStart *fast);
/* Once a second. */
void vend_fast_start_tick (FastStart *fast);

/* Settles how `instance` starts, then calls `then` on the core thread. */
typedef void (*FastStartThen) (Instance *instance);
void vend_fast_start_prepare (Instance *instance, FastStartThen then);
/* The launcher that takes the place of Python, or NULL. Borrowed. */
const char *vend_fast_start_launcher (const Instance *instance);
/* What the launcher needs to know, for the environment of the model server. */
void vend_fast_start_environment (const Instance *instance, json_t *env);

/* A frame of its director that may say how its start went. */
void vend_fast_start_heard (Instance *instance, const json_t *frame);
/* It is ready. */
void vend_fast_start_ready (Instance *instance);
/* It has run something, or runs nothing any more: what it imported is learned. */
void vend_fast_start_learn (Instance *instance);

/* Nothing starts from the snapshot of `target` any more. */
void vend_fast_start_forget (Target *target);

/* Whether the next instance starts from a snapshot, as far as is known. */
bool vend_fast_start_has_snapshot (const Target *target);

/* For decisions and logs: "snapshot", "fast" or "plain"; NULL: not known. */
const char *vend_fast_start_kind (const Instance *instance);
/* Zygotes, or snapshots, for people and tests. */
json_t *vend_fast_start_describe (const FastStart *fast, bool snapshots);
