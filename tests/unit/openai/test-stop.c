/* Texts that end an answer, wherever the pieces are cut. */
#include "openai/stop.h"
#include "schemas.h"

typedef struct
{
  const char *stops;
  const char *pieces;
  const char *said; /* piece for piece, and then the rest */
  bool found;
} Case;

static const Case cases[] = {
  { "['END']", "['a', 'b']", "a|b|", false },
  { "['END']", "['aEND', 'b']", "a||", true },
  { "['END']", "['aE', 'N', 'D b']", "a|||", true },
  { "['END']", "['aE', 'N', 'x']", "a||ENx|", false },
  { "['END']", "['aEN']", "a|EN", false },
  { "['END']", "['EEND']", "E|", true },
  { "['aab']", "['aa', 'ab']", "|a|", true },
  { "['yz', 'b']", "['a b yz']", "a |", true },
  { "['b c', 'c']", "['a b', ' c']", "a ||", true },
  { "['\\n\\n']", "['a\\n', 'b\\n', '\\nc']", "a|\nb||", true },
  { "['\u00e9']", "['a', '\u00e9']", "a||", true },
  { "[]", "['a']", "a|", false },
};

static void
test_pieces (void)
{
  for (gsize n = 0; n < G_N_ELEMENTS (cases); n++)
    {
      json_auto_t *stops = quoted (cases[n].stops);
      json_auto_t *pieces = quoted (cases[n].pieces);
      g_autoptr (VendOpenaiStop) stop = vend_openai_stop_new (stops);
      g_autoptr (GString) all = g_string_new (NULL);
      size_t i;
      json_t *piece;
      json_array_foreach (pieces, i, piece)
        {
          g_autofree char *said = vend_openai_stop_take (stop, json_string_value (piece));
          g_string_append_printf (all, "%s|", said);
        }
      g_autofree char *rest = vend_openai_stop_rest (stop);
      g_string_append (all, rest);
      g_assert_cmpstr (all->str, ==, cases[n].said);
      g_assert_true (vend_openai_stop_is_found (stop) == cases[n].found);
    }
}

static void
test_read (void)
{
  static const struct
  {
    const char *value;
    const char *stops; /* NULL: refused */
  } values[] = {
    { "'x'", "['x']" },
    { "['x', 'y']", "['x', 'y']" },
    { "['']", NULL },
    { "''", NULL },
    { "[5]", NULL },
    { "5", NULL },
    { "{}", NULL },
    { "['1','2','3','4','5','6','7','8','9','a','b','c','d','e','f','g','h']", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_auto (VendOpenaiFault) fault = { 0 };
      json_auto_t *value = quoted (values[i].value);
      json_auto_t *expected = values[i].stops != NULL ? quoted (values[i].stops) : NULL;
      json_auto_t *stops = vend_openai_read_stop (value, &fault);
      g_assert_true (expected != NULL ? json_equal (stops, expected) : stops == NULL);
      g_assert_true ((fault.message != NULL) == (stops == NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/stop/pieces", test_pieces);
  g_test_add_func ("/openai/stop/read", test_read);
  return g_test_run ();
}
