/* The director alone, for tests that drive it through its socket. */
#include "director/director.h"
#include <string.h>

int
main (int argc, char **argv)
{
  /* `vend director --dir …` and `vend-director-test --dir …` are the same. */
  if (argc > 1 && strcmp (argv[1], "director") == 0)
    {
      argv[1] = argv[0];
      argv++;
      argc--;
    }
  return vend_director_main (argc, argv);
}
