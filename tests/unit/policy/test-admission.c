/* When a prediction can begin at the earliest. */
#include "policy/admission.h"

#define S G_GINT64_CONSTANT (1000000)

static void
test_earliest_start (void)
{
  static const struct
  {
    const char *what;
    VendOutlook outlook; /* at second 100 */
    int64_t start_s;
  } cases[] = {
    { "nothing is measured", { .before = 1000, .slots = 1 }, 100 },
    { "cold", { .slots = 1, .boot_us = 8 * S, .run_us = 5 * S }, 108 },
    { "boots", { .slots = 1, .boots_us = 95 * S, .boot_us = 8 * S }, 103 },
    { "boots for longer than ever", { .slots = 1, .boots_us = 50 * S, .boot_us = 8 * S }, 100 },
    { "the next one", { .slots = 1, .has_ready = true, .boot_us = 8 * S, .run_us = 5 * S }, 100 },
    { "one before it",
      { .before = 1, .slots = 1, .has_ready = true, .boot_us = 8 * S, .run_us = 5 * S },
      105 },
    { "nine before it, four at a time",
      { .before = 9, .slots = 4, .has_ready = true, .run_us = 5 * S },
      110 },
    { "eight before it, four at a time, cold",
      { .before = 8, .slots = 4, .boot_us = 8 * S, .run_us = 5 * S },
      118 },
    { "three before it, four at a time",
      { .before = 3, .slots = 4, .has_ready = true, .run_us = 5 * S },
      100 },
    { "no slots are known", { .before = 2, .has_ready = true, .run_us = 5 * S }, 110 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VendOutlook outlook = cases[i].outlook;
      outlook.now_us = 100 * S;
      g_test_message ("%s", cases[i].what);
      g_assert_cmpint (vend_earliest_start_us (&outlook), ==, cases[i].start_s * S);
    }
}

static void
test_a_few_measurements_say_nothing (void)
{
  VendLeast least = { 0 };
  for (guint i = 0; i < VEND_LEAST_NEEDED; i++)
    {
      g_assert_cmpint (vend_least_us (&least), ==, 0);
      vend_least_note (&least, (10 - i) * S);
    }
  g_assert_cmpint (vend_least_us (&least), ==, 4 * S);
}

static void
test_the_shortest_lately_counts (void)
{
  VendLeast least = { 0 };
  vend_least_note (&least, 2 * S);
  for (guint i = 0; i < VEND_LEAST_KEPT - 1; i++)
    vend_least_note (&least, 20 * S);
  g_assert_cmpint (vend_least_us (&least), ==, 1 * S);
  vend_least_note (&least, 30 * S);
  g_assert_cmpint (vend_least_us (&least), ==, 10 * S);
  vend_least_note (&least, -5);
  g_assert_cmpint (vend_least_us (&least), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/admission/earliest-start", test_earliest_start);
  g_test_add_func ("/admission/a-few-measurements-say-nothing",
                   test_a_few_measurements_say_nothing);
  g_test_add_func ("/admission/the-shortest-lately-counts", test_the_shortest_lately_counts);
  return g_test_run ();
}
