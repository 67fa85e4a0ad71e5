/* Requirements: what reaches the installer, and what is refused with its place. */
#include "base/error.h"
#include "base/fd.h"
#include "build/requirements.h"
#include <string.h>

typedef struct
{
  char *dir;
} Project;

static void
project_clear (Project *project)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (project->dir, &error));
  g_free (project->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Project, project_clear)

static void
put (const Project *project, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (project->dir, name, NULL);
  g_autofree char *dir = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_dir_ensure (dir, &error));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static char *no_packages[] = { NULL };

static void
test_lines (void)
{
  /* SRC stands for the project's folder. */
  static const struct
  {
    const char *line;
    const char *out;
    const char *options;
  } good[] = {
    { "numpy==1.26.4", "numpy==1.26.4\n", "" },
    { "  torch >= 2 # comment", "torch >= 2\n", "" },
    { "# only a comment", "", "" },
    { "cog", "", "" },
    { "COG==0.9.1", "", "" },
    { "cog[server]>=0.9 ; python_version > '3.8'", "", "" },
    { "Cog @ https://example.com/cog.whl", "", "" },
    { "coglet", "", "" },
    { "coglet~=0.1", "", "" },
    { "cog-extra==1", "cog-extra==1\n", "" },
    { "cogs", "cogs\n", "" },
    { "pkg \\\n  ==1.0", "pkg   ==1.0\n", "" },
    { "git+https://github.com/a/b.git@main#egg=b", "git+https://github.com/a/b.git@main#egg=b\n",
      "" },
    { "git+ssh://git@github.com/a/b.git", "git+ssh://git@github.com/a/b.git\n", "" },
    { "https://user:word@e.com/x.whl", "https://user:word@e.com/x.whl\n", "" },
    { "name @ https://example.com/x.whl", "name @ https://example.com/x.whl\n", "" },
    { "./local", "SRC/local\n", "" },
    { "-e ./local", "SRC/local\n", "" },
    { "--editable=local/", "SRC/local\n", "" },
    { "local[extra]", "local[extra]\n", "" },
    { "./local[extra]", "SRC/local[extra]\n", "" },
    { "thing @ ./local", "thing @ file://SRC/local\n", "" },
    { "thing @ file:./local", "thing @ file://SRC/local\n", "" },
    { "wheel-1.0-py3-none-any.whl", "SRC/wheel-1.0-py3-none-any.whl\n", "" },
    { "--index-url https://example.com/simple", "", "--index-url https://example.com/simple\n" },
    { "-i https://example.com/simple", "", "--index-url https://example.com/simple\n" },
    { "--extra-index-url=https://e.com", "", "--extra-index-url https://e.com\n" },
    { "--find-links ./local", "", "--find-links SRC/local\n" },
    { "-f https://e.com/x", "", "--find-links https://e.com/x\n" },
    { "--pre", "", "--pre\n" },
    { "-r more.txt", "six\n", "" },
  };
  g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
  put (&project, "local/setup.py", "");
  put (&project, "wheel-1.0-py3-none-any.whl", "");
  put (&project, "more.txt", "six\ncog\n");
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (VendRequirements) requirements = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strconcat ("\xef\xbb\xbf\r\n", good[i].line, "\r\n", NULL);
      put (&project, "requirements.txt", text);
      g_test_message ("%s", good[i].line);
      const bool read = vend_requirements_read (project.dir, "requirements.txt", no_packages,
                                                &requirements, &error);
      g_assert_no_error (error);
      g_assert_true (read);
      g_string_replace (requirements->lines, project.dir, "SRC", 0);
      g_string_replace (requirements->options, project.dir, "SRC", 0);
      g_assert_cmpstr (requirements->lines->str, ==, good[i].out);
      g_assert_cmpstr (requirements->options->str, ==, good[i].options);
    }
}

static void
test_refused (void)
{
  static const char *const bad[] = {
    "../outside",
    "-e ../../x",
    "/etc",
    "-r /etc/passwd",
    "-r ../x.txt",
    "-r https://example.com/r.txt",
    "-r missing.txt",
    "-r requirements.txt",
    "-c /etc/hosts",
    "thing @ file:///etc",
    "thing @ ../x",
    "thing @ git+file:///etc",
    "file:///etc",
    "--find-links /etc",
    "./missing",
    "--unknown-option",
    "--config-settings x",
    "six\r-e /etc",
    "/etc ; python_version != '://'",
    "thing @ ../x ; a != '://'",
    "six\xe2\x80\xa8/etc",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
      g_autoptr (VendRequirements) requirements = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strconcat ("six\n", bad[i], "\n", NULL);
      put (&project, "requirements.txt", text);
      g_test_message ("%s", bad[i]);
      g_assert_false (vend_requirements_read (project.dir, "requirements.txt", no_packages,
                                              &requirements, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "requirements.txt:2: "));
      g_assert_null (requirements);
    }
}

static void
test_packages (void)
{
  g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
  g_autoptr (VendRequirements) requirements = NULL;
  g_autoptr (GError) error = NULL;
  put (&project, "limits.txt", "numpy<2\n");
  char packages[][24] = { "numpy", "cog==1.0", "-c limits.txt", "--pre" };
  char *list[] = { packages[0], packages[1], packages[2], packages[3], NULL };
  g_assert_true (vend_requirements_read (project.dir, NULL, list, &requirements, &error));
  g_assert_cmpstr (requirements->lines->str, ==, "numpy\n");
  g_assert_cmpstr (requirements->constraints->str, ==, "numpy<2\n");
  g_assert_cmpstr (requirements->options->str, ==, "--pre\n");
  g_assert_cmpuint (requirements->dropped->len, ==, 1);
  g_assert_false (requirements->has_local);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/requirements/lines", test_lines);
  g_test_add_func ("/build/requirements/refused", test_refused);
  g_test_add_func ("/build/requirements/packages", test_packages);
  return g_test_run ();
}
