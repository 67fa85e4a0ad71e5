/* `vend director --dir DIR`: the process beside one model server (docs/architecture/director.md).
 */
#pragma once

/* The whole process; returns its exit status. */
int vend_director_main (int argc, char **argv);
