/* The builder as a program of its own, for the tests beside this file. */
#include "build/builder.h"

int
main (int argc, char **argv)
{
  return vend_builder_main (argc, argv);
}
