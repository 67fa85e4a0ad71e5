/* The director alone, for tests that drive it through its socket. */
#include "director/director.h"
#include "director/limits.h"
#include <stdlib.h>
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
  if (getenv ("VEND_TEST_VMSTAT") != NULL)
    vend_model_limits_counters = getenv ("VEND_TEST_VMSTAT");
  return vend_director_main (argc, argv);
}
