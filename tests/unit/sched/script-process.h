/* The test's own binary as a director that plays by a script: its notes are in the file `told`, two
 * folders up. */
#pragma once
#include <stdbool.h>

/* Whether these are the arguments of a director. */
bool script_process_is_meant (int argc, char **argv);
int script_process_main (int argc, char **argv);
