/* The image that a target's version is: unpacked before an instance takes hardware. Core thread. */
#pragma once
#include "sched/target/target.h"

/* Whether an instance may start as far as that goes; always for other versions. `wants`: one is
 * wanted, so that it is unpacked first, and a reconciliation follows. */
bool vend_target_image_ready (Target *target, bool wants, int64_t now_us);
