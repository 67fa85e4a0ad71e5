/* Requirements: what reaches the installer, and what is refused with its place. */
#include "base/error.h"
#include "base/fd.h"
#include "build/requirements.h"
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

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
    { "--requirement=more.txt", "six\n", "" },
    /* As people write them on the line of a package. */
    { "torch==2.0.1 --extra-index-url https://e.com/cu118", "torch==2.0.1\n",
      "--extra-index-url https://e.com/cu118\n" },
    { "a==1 --extra-index-url=https://e.com/x\nb==2 --extra-index-url=https://e.com/x",
      "a==1\nb==2\n", "--extra-index-url https://e.com/x\n" },
    { "a==1 -f https://e.com/stable.html", "a==1\n", "--find-links https://e.com/stable.html\n" },
    { "a==1 --find-links=https://e.com/x -i https://e.com/y", "a==1\n",
      "--find-links https://e.com/x\n--index-url https://e.com/y\n" },
    { "a==1 --pre", "a==1\n", "--pre\n" },
    { "a>=1,<2;python_version>='3.8' --no-binary=a", "a>=1,<2;python_version>='3.8'\n",
      "--no-binary a\n" },
    { "--pre --extra-index-url https://e.com/x", "", "--pre\n--extra-index-url https://e.com/x\n" },
    { "--extra-index-url 'https://e.com/a b'", "", "--extra-index-url https://e.com/a b\n" },
    { "--trusted-host e.com --no-index", "", "--trusted-host e.com\n--no-index\n" },
    { "--only-binary :all:", "", "--only-binary :all:\n" },
    { "--prefer-binary", "", "--prefer-binary\n" },
    { "-e .", "", "" },
    { "-e git+https://e.com/a.git#egg=a", "git+https://e.com/a.git#egg=a\n", "" },
    { "name[x,y] @ git+https://e.com/a.git@v1 ; python_version > '3'",
      "name[x,y] @ git+https://e.com/a.git@v1 ; python_version > '3'\n", "" },
    { "a-b.c_d==1 \\\n    --hash=sha256:" HASH " \\\n    --hash=sha256:" HASH, "a-b.c_d==1\n", "" },
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
    "a==1 -r /etc/passwd",
    "a==1 --find-links /etc",
    "--find-links file:///etc",
    "--extra-index-url",
    "--extra-index-url=",
    "--extra-index-url file:///etc",
    "--index-url /etc",
    "--pre=yes",
    "--extra-index-url https://e.com b==1",
    "--extra-index-url 'https://e.com",
    "--hash=sha256:" HASH,
    "a==1 --hash=md5:00",
    "https://e.com/a.whl --hash=sha256:" HASH,
    "--require-hashes",
    "a==1 --config-settings=x=y",
    "--extra-index-url https://${UV_SECRET}@e.com/",
    "a @ git+https://${TOKEN}@e.com/a.git",
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

static VendRequirements *
read_text (const Project *project, const char *text, GError **error)
{
  VendRequirements *requirements = NULL;
  put (project, "requirements.txt", text);
  return vend_requirements_read (project->dir, "requirements.txt", no_packages, &requirements,
                                 error)
             ? requirements
             : NULL;
}

static void
test_hashes (void)
{
  g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
  g_autoptr (GError) error = NULL;
  g_autoptr (VendRequirements) requirements
      = read_text (&project,
                   "Six==1 --hash=sha256:" HASH " --hash sha512:" HASH HASH "\n"
                   "cog==0.9 --hash=sha256:" HASH "\n",
                   &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_hash_table_lookup (requirements->hashes, "six"), ==,
                   " --hash=sha256:" HASH " --hash=sha512:" HASH HASH);
  g_assert_cmpuint (g_hash_table_size (requirements->hashes), ==, 1);
}

static void
test_addresses (void)
{
  g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
  g_autoptr (GError) error = NULL;
  g_autoptr (VendRequirements) requirements
      = read_text (&project,
                   "a --extra-index-url http://a.test/\n-i http://b.test/\n-f http://c.test/x\n"
                   "d @ http://d.test/d.whl ; x > '1'\nhttp://e.test/e.whl\n"
                   "git+ssh://git@f.test/f.git\ng @ http:g.test/g\n",
                   &error);
  g_assert_null (requirements);
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_clear_error (&error);
  requirements = read_text (&project,
                            "a --extra-index-url http://a.test/\n-i http://b.test/\n"
                            "-f http://c.test/x\nd @ http://d.test/d.whl ; x > '1'\n"
                            "http://e.test/e.whl\ngit+ssh://git@f.test/f.git\ng @ http:g.test\n",
                            &error);
  g_assert_no_error (error);
  g_ptr_array_add (requirements->addresses, NULL);
  g_autofree char *all = g_strjoinv ("|", (char **) requirements->addresses->pdata);
  g_assert_cmpstr (all, ==,
                   "http://a.test/|http://b.test/|http://c.test/x|http://d.test/d.whl ; x > '1'|"
                   "http://e.test/e.whl|git+ssh://git@f.test/f.git|http:g.test");
}

static void
test_torch_builds (void)
{
  static const struct
  {
    const char *text;
    const char *build;
  } good[] = {
    { "torch==2.1.0+cpu", "cpu" },
    { "torch == 2.1.0+cu118 ; python_version > '3'\ntorchvision==0.16.0+cu118", "cu118" },
    { "torchaudio===2.1.0+rocm5.6", "rocm5.6" },
    { "torch==2.1.0", NULL },
    { "mytorch==2.1.0+cpu", NULL },
    { "torch @ https://e.com/torch-2.1.0+cpu.whl", NULL },
  };
  g_auto (Project) project = { g_dir_make_tmp ("vend-req-XXXXXX", NULL) };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VendRequirements) requirements = read_text (&project, good[i].text, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (requirements->torch_build, ==, good[i].build);
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (read_text (&project, "torch==2.1.0+cpu\ntorchvision==0.16.0+cu118\n", &error));
  g_assert_nonnull (strstr (error->message, "the same build"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/requirements/lines", test_lines);
  g_test_add_func ("/build/requirements/refused", test_refused);
  g_test_add_func ("/build/requirements/packages", test_packages);
  g_test_add_func ("/build/requirements/hashes", test_hashes);
  g_test_add_func ("/build/requirements/addresses", test_addresses);
  g_test_add_func ("/build/requirements/torch-builds", test_torch_builds);
  return g_test_run ();
}
