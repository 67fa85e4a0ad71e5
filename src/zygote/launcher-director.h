/* The launcher in a sandbox, whose director stands outside. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* `number` of the descriptor that leads to the director; NULL: there is none. */
void launcher_director_take (const char *number);
/* Tells it a line of the report; false when there is none. */
bool launcher_director_hears (const char *what, const char *reason);
/* Whether it lets the fork of `pidfd` run; else `reason` says why not. True when there is none. */
bool launcher_director_lets_go (int pidfd, char *reason, size_t size);
/* What is executed next may not signal those outside of it, as in a sandbox without a launcher. */
bool launcher_lock_signals (void);
