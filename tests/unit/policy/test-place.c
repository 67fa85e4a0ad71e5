/* On which machine an instance starts. */
#include "policy/place.h"

#define MAX_OPTIONS 4

typedef struct
{
  const char *name;
  VendPlaceOption options[MAX_OPTIONS];
  gsize n;
  guint size;
  int place;
  guint units;
} Case;

static const Case cases[] = {
  { "only-here", { { 2, 1, true, true } }, 1, 1, 0, 2 },
  { "full", { { 2, 2, true, true } }, 1, 1, -1, 2 },
  { "most-free",
    { { 2, 0, true, true }, { 8, 2, true, false }, { 4, 0, true, false } },
    3,
    1,
    1,
    14 },
  { "files-on-a-tie",
    { { 2, 2, true, true }, { 4, 1, true, false }, { 4, 1, true, true } },
    3,
    1,
    2,
    10 },
  { "first-on-a-tie", { { 4, 1, true, true }, { 4, 1, true, true } }, 2, 1, 0, 8 },
  { "free-before-files", { { 2, 1, true, true }, { 4, 1, true, false } }, 2, 1, 1, 6 },
  { "closed", { { 1, 1, true, true }, { 8, 3, false, true } }, 2, 1, -1, 4 },
  { "size", { { 4, 1, true, true }, { 8, 6, true, true } }, 2, 4, -1, 12 },
  { "size-fits", { { 4, 1, true, true }, { 8, 4, true, true } }, 2, 4, 1, 12 },
  { "more-used-than-there-is", { { 1, 3, true, true }, { 2, 5, true, true } }, 2, 1, -1, 3 },
  { "no-size-is-one", { { 1, 1, true, true }, { 1, 0, true, false } }, 2, 0, 1, 2 },
};

static void
test_place (const void *data)
{
  const Case *c = data;
  g_assert_cmpint (vend_place (c->options, c->n, c->size), ==, c->place);
  g_assert_cmpuint (vend_place_units (c->options, c->n), ==, c->units);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/place/", cases[i].name, NULL);
      g_test_add_data_func (path, &cases[i], test_place);
    }
  return g_test_run ();
}
