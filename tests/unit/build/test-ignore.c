/* Tests of the patterns that leave files out of a push. */
#include "build/ignore.h"
#include "base/error.h"

typedef struct
{
  const char *rules;
  const char *path;
  bool is_dir;
  bool docker; /* expected as .dockerignore */
  bool git;    /* expected as .cogignore */
} Case;

static const Case cases[] = {
  { "", "a", false, false, false },
  { "# a\n\n  \n", "# a", false, false, false },
  { "a", "a", false, true, true },
  { "a\r\nb\r\n", "b", false, true, true },
  { "\xEF\xBB\xBF"
    "a",
    "a", false, true, true },
  { "a", "b/a", false, false, true },
  { "/a", "b/a", false, false, false },
  { "./a", "a", false, true, true },
  { "a", "a/b/c", false, true, true },
  { "a/b", "a/b", false, true, true },
  { "a/b", "x/a/b", false, false, false },
  { "a/", "a", true, true, true },
  { "a/", "a", false, false, false },
  { "a/", "a/b", false, true, true },
  { "*.pyc", "x.pyc", false, true, true },
  { "*.pyc", "d/x.pyc", false, false, true },
  { "*.pyc", "x.py", false, false, false },
  { "**/*.pyc", "x.pyc", false, true, true },
  { "**/*.pyc", "a/b/x.pyc", false, true, true },
  { "a/**", "a", true, false, false },
  { "a/**", "a/b/c", false, true, true },
  { "a/**/c", "a/c", false, true, true },
  { "a/**/c", "a/b/b/c", false, true, true },
  { "a/**/c", "ab/c", false, false, false },
  { "**/c", "bc", false, false, false },
  { "**", "a/b", false, true, true },
  { "a*/c", "ab/d/c", false, false, false },
  { "a?c", "abc", false, true, true },
  { "a?c",
    "a\xC3\xA9"
    "c",
    false, true, true },
  { "a?c", "a/c", false, false, false },
  { "[a-c]x", "bx", false, true, true },
  { "[!a-c]x", "bx", false, false, false },
  { "[^a-c]x", "dx", false, true, true },
  { "a[!b]c", "a/c", false, false, false },
  { "[]]x", "]x", false, true, true },
  { "[a-]x", "-x", false, true, true },
  { "[ab", "[ab", false, true, true },
  { "[\\]a]", "]", false, true, true },
  { "\\!a", "!a", false, true, true },
  { "\\#a", "#a", false, true, true },
  { "\\*", "a", false, false, false },
  { "a\\", "a\\", false, true, true },
  { "*\n!a", "a/b", false, false, false },
  { "*\n!a", "b", false, true, true },
  { "a\n!a/keep", "a/keep", false, false, false },
  { "a\n!a/keep", "a/other", false, true, true },
  { "a\n!a/keep\na/keep", "a/keep", false, true, true },
  { "!a\na", "a", false, true, true },
  { "!", "a", false, false, false },
  { "/", "a", false, false, false },
};

static void
test_matches (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int style = VEND_IGNORE_DOCKER; style <= VEND_IGNORE_GIT; style++)
      {
        g_autoptr (VendIgnore) ignore = NULL;
        g_autoptr (GError) error = NULL;
        bool expected = style == VEND_IGNORE_DOCKER ? cases[i].docker : cases[i].git;
        g_test_message ("'%s' on '%s', style %d", cases[i].rules, cases[i].path, style);
        g_assert_true (
            vend_ignore_parse (cases[i].rules, (VendIgnoreStyle) style, &ignore, &error));
        g_assert_no_error (error);
        g_assert_cmpint (vend_ignore_matches (ignore, cases[i].path, cases[i].is_dir), ==,
                         expected);
      }
}

static void
test_exceptions (void)
{
  g_autoptr (VendIgnore) without = NULL;
  g_autoptr (VendIgnore) with = NULL;
  g_assert_true (vend_ignore_parse ("a\n\\!b", VEND_IGNORE_GIT, &without, NULL));
  g_assert_true (vend_ignore_parse ("a\n!b", VEND_IGNORE_GIT, &with, NULL));
  g_assert_false (vend_ignore_has_exceptions (without));
  g_assert_true (vend_ignore_has_exceptions (with));
}

/* Backtracking matchers need longer than a life for this one. */
static void
test_many_stars (void)
{
  g_autoptr (GString) pattern = g_string_new (NULL);
  g_autoptr (VendIgnore) ignore = NULL;
  g_autofree char *path = g_strnfill (2000, 'a');
  for (int i = 0; i < 500; i++)
    g_string_append (pattern, i % 2 == 0 ? "*a" : "**a");
  g_string_append_c (pattern, 'b');
  g_assert_true (vend_ignore_parse (pattern->str, VEND_IGNORE_GIT, &ignore, NULL));
  g_assert_false (vend_ignore_matches (ignore, path, false));
}

static void
test_too_many (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (VendIgnore) ignore = NULL;
  g_autoptr (GError) error = NULL;
  for (int i = 0; i < VEND_IGNORE_MAX_RULES; i++)
    g_string_append (text, "a\n");
  g_assert_true (vend_ignore_parse (text->str, VEND_IGNORE_GIT, &ignore, &error));
  g_clear_pointer (&ignore, vend_ignore_free);
  g_string_append (text, "a\n");
  g_assert_false (vend_ignore_parse (text->str, VEND_IGNORE_GIT, &ignore, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/ignore/matches", test_matches);
  g_test_add_func ("/build/ignore/exceptions", test_exceptions);
  g_test_add_func ("/build/ignore/many-stars", test_many_stars);
  g_test_add_func ("/build/ignore/too-many", test_too_many);
  return g_test_run ();
}
