/* Time of instances: nothing is lost or counted twice, however it is cut. */
#include "base/clock.h"
#include "model/instance-usage.h"
#include "model/month.h"
#include <string.h>

#define HOUR_US (3600 * VEND_US_PER_S)

static int64_t
sum (const int64_t phase_us[VEND_PHASE_N])
{
  int64_t all_us = 0;
  for (guint i = 0; i < VEND_PHASE_N; i++)
    all_us += phase_us[i];
  return all_us;
}

static int64_t
below (GRand *rand, int64_t most)
{
  return most > 0 ? (int64_t) (g_rand_double (rand) * (double) most) : 0;
}

static void
check (const VendInstanceUsage *piece)
{
  g_assert_cmpint (sum (piece->phase_us), ==, piece->ended_us - piece->began_us);
  g_assert_cmpint (piece->began_us / HOUR_US, ==,
                   MAX (piece->ended_us - 1, piece->began_us) / HOUR_US);
}

/* A life of random phases: the pieces follow each other, and add up to it. */
static void
test_a_life_in_pieces (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (8363);
  for (guint n = 0; n < 200; n++)
    {
      VendInstanceUsage piece = { .began_us = below (rand, 1000 * HOUR_US) };
      piece.ended_us = piece.began_us;
      int64_t at_us = piece.began_us, stored_us = 0;
      int64_t wanted[VEND_PHASE_N] = { 0 }, found[VEND_PHASE_N] = { 0 };
      const int64_t began_us = at_us;
      for (guint step = 0; step < 30; step++)
        {
          const VendPhase phase
              = step == 0 ? VEND_PHASE_SETUP : VEND_PHASE_IDLE + g_rand_int_range (rand, 0, 2);
          const int64_t until_us = at_us + below (rand, step % 5 == 0 ? 3 * HOUR_US : 1000);
          wanted[phase] += until_us - at_us;
          while (!vend_instance_usage_count (&piece, phase, until_us))
            {
              check (&piece);
              for (guint i = 0; i < VEND_PHASE_N; i++)
                found[i] += piece.phase_us[i];
              stored_us = piece.ended_us;
              vend_instance_usage_next (&piece);
              g_assert_cmpint (piece.began_us, ==, stored_us);
            }
          at_us = until_us;
          check (&piece);
          g_assert_cmpint (piece.ended_us, ==, at_us);
        }
      for (guint i = 0; i < VEND_PHASE_N; i++)
        g_assert_cmpint (found[i] + piece.phase_us[i], ==, wanted[i]);
      g_assert_cmpint (sum (wanted), ==, at_us - began_us);
    }
}

static void
test_counted_once (void)
{
  VendInstanceUsage piece = { .began_us = 100, .ended_us = 100 };
  g_assert_true (vend_instance_usage_count (&piece, VEND_PHASE_IDLE, 150));
  g_assert_true (vend_instance_usage_count (&piece, VEND_PHASE_ACTIVE, 120));
  g_assert_true (vend_instance_usage_count (&piece, VEND_PHASE_ACTIVE, 150));
  g_assert_cmpint (piece.phase_us[VEND_PHASE_IDLE], ==, 50);
  g_assert_cmpint (piece.phase_us[VEND_PHASE_ACTIVE], ==, 0);
  /* To the end of the hour, which is not the beginning of the next piece yet. */
  g_assert_true (vend_instance_usage_count (&piece, VEND_PHASE_IDLE, HOUR_US));
  g_assert_false (vend_instance_usage_count (&piece, VEND_PHASE_IDLE, HOUR_US + 1));
  g_assert_cmpint (piece.ended_us, ==, HOUR_US);
}

/* Parts of neighbouring times add up to the whole, and none is negative. */
static void
test_parts (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (8364);
  for (guint n = 0; n < 2000; n++)
    {
      VendInstanceUsage piece = { .began_us = below (rand, HOUR_US) };
      const int64_t most = n % 2 == 0 ? 5 : HOUR_US;
      for (guint i = 0; i < VEND_PHASE_N; i++)
        piece.phase_us[i] = below (rand, most);
      piece.ended_us = piece.began_us + sum (piece.phase_us);
      int64_t all[VEND_PHASE_N] = { 0 };
      int64_t at_us = piece.began_us - below (rand, 3);
      while (at_us < piece.ended_us)
        {
          const int64_t next_us = at_us + 1 + below (rand, n % 2 == 0 ? 2 : most);
          int64_t part[VEND_PHASE_N];
          vend_instance_usage_part (&piece, at_us, next_us, part);
          g_assert_cmpint (sum (part), ==,
                           MAX (MIN (next_us, piece.ended_us) - MAX (at_us, piece.began_us), 0));
          for (guint i = 0; i < VEND_PHASE_N; i++)
            {
              g_assert_cmpint (part[i], >=, 0);
              all[i] += part[i];
            }
          at_us = next_us;
        }
      for (guint i = 0; i < VEND_PHASE_N; i++)
        g_assert_cmpint (all[i], ==, piece.phase_us[i]);
    }
}

static void
test_spans (void)
{
  static const VendSpan given[] = { { 50, 60 }, { 10, 20 }, { 15, 30 }, { 30, 31 },
                                    { 12, 13 }, { 70, 70 }, { 90, 80 }, { 55, 58 } };
  static const VendSpan wanted[] = { { 10, 31 }, { 50, 60 } };
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (VendSpan));
  vend_spans_join (spans);
  g_assert_cmpuint (spans->len, ==, 0);
  g_array_append_vals (spans, given, G_N_ELEMENTS (given));
  vend_spans_join (spans);
  g_assert_cmpmem (spans->data, spans->len * sizeof (VendSpan), wanted, sizeof wanted);
}

static void
test_months (void)
{
  static const char *const good[] = { "1970-01", "2024-02", "2026-11", "2026-12", "9998-12" };
  static const char *const bad[] = { "",        "2026",    "2026-1",  "2026-00",    "2026-13",
                                     "1969-12", "9999-01", "+026-01", "2026-11-01", "2026/11" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      int64_t begin_us = -1;
      g_assert_true (vend_month_parse (good[i], &begin_us));
      const int64_t end_us = vend_month_end (begin_us);
      g_autofree char *first = vend_month_text (begin_us);
      g_autofree char *last = vend_month_text (end_us - 1);
      g_assert_cmpstr (first, ==, good[i]);
      g_assert_cmpstr (last, ==, good[i]);
      g_assert_cmpint (vend_month_begin (end_us - 1), ==, begin_us);
      g_assert_cmpint (vend_month_begin (end_us), ==, end_us);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      int64_t begin_us = -1;
      g_assert_false (vend_month_parse (bad[i], &begin_us));
      g_assert_cmpint (begin_us, ==, -1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/instance-usage/a-life-in-pieces", test_a_life_in_pieces);
  g_test_add_func ("/instance-usage/counted-once", test_counted_once);
  g_test_add_func ("/instance-usage/parts", test_parts);
  g_test_add_func ("/instance-usage/spans", test_spans);
  g_test_add_func ("/month/begin-and-end", test_months);
  return g_test_run ();
}
