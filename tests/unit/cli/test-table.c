/* Tables: alignment, wide and odd characters, cutting; lines that cannot steer a terminal. */
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include <string.h>

static void
test_alignment (void)
{
  static const char *const columns[] = { "NAME", "N", "TEXT", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  g_assert_cmpuint (vend_table_rows (table), ==, 0);
  vend_table_add (table, "a", "100", "first");
  vend_table_add (table, "longer", NULL, NULL);
  vend_table_add (table, "größe", "2", "ü");
  vend_table_add (table, "日本", "3", "wide");
  g_assert_cmpuint (vend_table_rows (table), ==, 4);

  g_autofree char *text = vend_table_text (table, 0);
  g_assert_cmpstr (text, ==,
                   "NAME    N    TEXT\n"
                   "a       100  first\n"
                   "longer\n"
                   "größe   2    ü\n"
                   "日本    3    wide\n");
}

static void
test_cutting (void)
{
  static const char *const columns[] = { "A", "B", NULL };
  static const struct
  {
    guint width;
    const char *text;
  } cases[] = {
    { 1, "A\n\n" },           { 4, "A\n日\n" },           { 5, "A   B\n日  x\n" },
    { 6, "A   B\n日  xy\n" }, { 80, "A   B\n日  xyz\n" },
  };
  g_autoptr (VendTable) table = vend_table_new (columns);
  vend_table_add (table, "日", "xyz");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = vend_table_text (table, cases[i].width);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_columns (void)
{
  static const char *const columns[] = { "NAME", "N", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  vend_table_add (table, "lab/one-of-the-longest-日本-names", "7");
  vend_table_add (table, "short", "100");
  vend_table_align_right (table, 1);
  g_autofree char *whole = vend_table_text (table, 0);
  g_assert_cmpstr (whole, ==,
                   "NAME                                 N\n"
                   "lab/one-of-the-longest-日本-names    7\n"
                   "short                              100\n");
  vend_table_cut_middle (table, 0);
  g_autofree char *cut = vend_table_text (table, 24);
  g_assert_cmpstr (cut, ==,
                   "NAME                   N\n"
                   "lab/one-o…本-names     7\n"
                   "short                100\n");
  g_autofree char *narrow = vend_table_text (table, 5);
  g_assert_cmpstr (narrow, ==, "NAME\nlab/…\nshort\n");
}

static void
test_control_characters (void)
{
  static const struct
  {
    const char *text;
    const char *line;
  } cases[] = {
    { "plain", "plain" },       { "  trimmed\n", "trimmed" },
    { "one\ntwo", "one; two" }, { "a\tb\rc", "a b c" },
    { "\033[2Jx", " [2Jx" },    { "x\033[2Jy", "x [2Jy" },
    { "c\xc2\x9b", "c " },      { "", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *line = vend_terminal_one_line (cases[i].text);
      g_assert_cmpstr (line, ==, cases[i].line);
    }
  g_autofree char *broken = vend_terminal_one_line ("a\xff");
  g_assert_true (g_utf8_validate (broken, -1, NULL));

  static const char *const columns[] = { "A", "B", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  vend_table_add (table, "x\ny", "\033[31mred");
  g_autofree char *text = vend_table_text (table, 0);
  g_assert_null (strchr (text, '\033'));
  g_assert_true (g_str_has_prefix (strchr (text, '\n') + 1, "x; y  "));
}

static void
test_bar (void)
{
  static const struct
  {
    guint64 done;
    guint64 total;
    const char *end;
  } cases[] = {
    { 0, 10, "   0 %" },  { 5, 10, "  50 %" }, { 10, 10, " 100 %" },
    { 20, 10, " 100 %" }, { 0, 0, " 100 %" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *bar = vend_progress_bar (cases[i].done, cases[i].total);
      g_assert_true (g_str_has_suffix (bar, cases[i].end));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/table/alignment", test_alignment);
  g_test_add_func ("/table/cutting", test_cutting);
  g_test_add_func ("/table/control-characters", test_control_characters);
  g_test_add_func ("/table/columns", test_columns);
  g_test_add_func ("/table/bar", test_bar);
  return g_test_run ();
}
