/* Boots that fail and boots that are lost: when the next one begins, and when the queue is given
 * up. */
#include "policy/boot-backoff.h"
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)
#define BEGIN (1000 * S)
#define MAX_STEPS 14

/* What happens to one boot after the other, each begun when it may: 'f' fails, 'l' is lost, 's' is
 * lost and began before the last loss, 'r' is ready. The waits are seconds; the queue is given up
 * at each step that has a '!' in `gives_up`. */
typedef struct
{
  const char *name;
  const char *steps;
  int waits[MAX_STEPS];
  const char *gives_up;
} Case;

static const Case cases[] = {
  { "failures", "fffff", { 0, 10, 20, 40, 80 }, "..!!!" },
  { "losses", "llllllllllll", { 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900 }, "...........!" },
  { "three-losses", "lllr", { 0, 1, 2, 0 }, "...." },
  { "one-cause", "lssssssssssssl", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, ".............." },
  { "losses-among-failures", "flflf", { 0, 0, 10, 1, 20 }, "....!" },
  { "ready-between", "ffrffrf", { 0, 10, 0, 0, 10, 0, 0 }, "......." },
  { "longest-wait", "ffffffffff", { 0, 10, 20, 40, 80, 160, 320, 640, 900, 900 }, "..!!!!!!!!" },
};

static bool
take (VendBootBackoff *backoff, char step, int64_t now_us)
{
  switch (step)
    {
    case 'f':
      return vend_boot_backoff_failed (backoff, now_us);
    case 'l':
      return vend_boot_backoff_lost (backoff, now_us - 1, now_us);
    case 's':
      return vend_boot_backoff_lost (backoff, backoff->lost_us - 1, now_us);
    default:
      *backoff = (VendBootBackoff){ 0 };
      return false;
    }
}

static void
test_case (const void *data)
{
  const Case *c = data;
  VendBootBackoff backoff = { 0 };
  int64_t now_us = BEGIN;
  g_assert_cmpuint (strlen (c->steps), ==, strlen (c->gives_up));
  for (guint i = 0; c->steps[i] != '\0'; i++)
    {
      now_us = MAX (now_us, backoff.until_us) + S;
      const bool given_up = take (&backoff, c->steps[i], now_us);
      g_assert_cmpint (MAX (backoff.until_us - now_us, 0), ==, c->waits[i] * S);
      g_assert_cmpint (given_up, ==, c->gives_up[i] == '!');
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/boot-backoff/", cases[i].name, NULL);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}
