/* A director without a model: it does what the input of each run says, and notes what it was told
 * in the file `told` of the data directory, "run ID ATTEMPT" a line.
 *
 * The input has `acts`, a list of acts for each attempt; the last list is for later ones too. */
#pragma once
#include <stdbool.h>

/* Of a run that ended: completed_us - started_us, when the input has no `run_us`. */
#define SCRIPT_RUN_US 1000000

/* Whether these are the arguments of a director. */
bool script_director_is_meant (int argc, char **argv);
int script_director_main (int argc, char **argv);
