/* Managed weights of a target: on disk before an instance takes hardware. Core thread. */
#pragma once
#include "sched/target/target.h"

/* Whether an instance may start as far as its weights go. `wants`: one is wanted, so that those
 * that are not on disk are fetched first, and a reconciliation follows. */
bool vend_target_weights_ready (Target *target, bool wants, int64_t now_us);
/* A start has them, or found that they are gone: they are looked for anew before the next one. */
void vend_target_weights_let_go (Target *target);
/* The target must stay. */
bool vend_target_weights_busy (const Target *target);
