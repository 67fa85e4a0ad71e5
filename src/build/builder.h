/* `vend builder`: one build, described on standard input, logged on standard output. Its result
 * file says how it went. */
#pragma once

/* 0 when a version was built, 1 otherwise. */
int vend_builder_main (int argc, char **argv);
