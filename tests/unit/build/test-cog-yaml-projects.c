/* Whole cog.yaml files, shaped like those that model authors publish, and what becomes of each. */
#include "build/cog-yaml.h"
#include "base/fd.h"
#include <string.h>

#define NAMED "predict: predict.py:Predictor\n"
#define P311 "  python_version: \"3.11\"\n"

typedef struct
{
  const char *name;
  const char *text;
  const char *python;   /* of a good one, as all below; NULL = none is named */
  const char *packages; /* python_packages, joined by '|' */
  const char *commands; /* build.run, joined by '|' */
  const char *warning;  /* part of one; NULL = any or none */
  const char *problem;  /* part of one; NULL = the file is good */
} Case;

static const Case cases[] = {
  { "smallest", "build:\n" P311 NAMED, "3.11", "", "", "predict: deprecated", NULL },
  { "newest names", "build:\n" P311 "run: predict.py:Predictor\n", "3.11", "", "", NULL, NULL },
  { "number 3.10", "build:\n  python_version: 3.10\n" NAMED, "3.10", "", "", NULL, NULL },
  { "number 3.11", "build:\n  python_version: 3.11\n" NAMED, "3.11", "", "", NULL, NULL },
  { "patch level", "build:\n  python_version: '3.11.4'\n" NAMED, "3.11.4", "", "", NULL, NULL },
  { "python 3.8", "build:\n  python_version: \"3.8\"\n" NAMED, NULL, NULL, NULL, NULL,
    "expected 3.10 or a later 3.x, got '3.8'" },
  { "python 3.1 as others write it back", "build:\n  python_version: 3.1\n" NAMED, NULL, NULL, NULL,
    NULL, "got '3.1'" },
  { "python 3", "build:\n  python_version: \"3\"\n" NAMED, NULL, NULL, NULL, NULL, "got '3'" },
  { "no python", "build:\n  gpu: true\n" NAMED, NULL, "", "", "python_version: not set", NULL },
  { "no build", NAMED, NULL, "", "", NULL, NULL },
  { "gpu with cuda and cudnn",
    "build:\n  gpu: true\n  cuda: \"12.1\"\n  cudnn: \"8\"\n" P311
    "  python_packages:\n    - \"torch==2.3.1\"\n    - \"numpy<2\"\n" NAMED,
    "3.11", "torch==2.3.1|numpy<2", "", "python_packages: deprecated", NULL },
  { "cuda as number", "build:\n  gpu: true\n  cuda: 11.8\n" P311 NAMED, "3.11", "", "", NULL,
    NULL },
  { "gpu in quotes", "build:\n  gpu: \"true\"\n" P311 NAMED, NULL, NULL, NULL, NULL,
    "true or false without quotes" },
  { "yes for true", "build:\n  gpu: yes\n" P311 NAMED, "3.11", "", "", NULL, NULL },
  { "index on the line of a package",
    "build:\n" P311
    "  python_packages:\n    - torch==2.1.0 --extra-index-url https://example.com/cu118\n"
    "    - torchvision==0.16.0 --extra-index-url=https://example.com/cu118\n" NAMED,
    "3.11",
    "torch==2.1.0 --extra-index-url https://example.com/cu118|"
    "torchvision==0.16.0 --extra-index-url=https://example.com/cu118",
    "", NULL, NULL },
  { "index on a line of its own",
    "build:\n" P311 "  python_packages:\n    - --extra-index-url https://example.com/cu118\n"
    "    - torch==2.1.0\n" NAMED,
    "3.11", "--extra-index-url https://example.com/cu118|torch==2.1.0", "", NULL, NULL },
  { "index on the next line",
    "build:\n" P311
    "  python_packages:\n    - torch==2.1.0\n      -f https://example.com/x\n" NAMED,
    "3.11", "torch==2.1.0 -f https://example.com/x", "", NULL, NULL },
  { "packages from repositories",
    "build:\n" P311 "  python_packages:\n    - git+https://example.com/a.git@main\n"
    "    - \"b @ https://example.com/b-1-py3-none-any.whl\"\n" NAMED,
    "3.11", "git+https://example.com/a.git@main|b @ https://example.com/b-1-py3-none-any.whl", "",
    NULL, NULL },
  { "packages with a comment behind",
    "build:\n" P311 "  python_packages:\n    - einops==0.7.0 # layers\n    - \"a[b]==1\"\n" NAMED,
    "3.11", "einops==0.7.0|a[b]==1", "", NULL, NULL },
  { "packages that are no list", "build:\n" P311 "  python_packages: torch==2.1.0\n" NAMED, NULL,
    NULL, NULL, NULL, "python_packages: expected a list" },
  { "empty lists", "build:\n" P311 "  python_packages:\n  system_packages: []\n  run:\n" NAMED,
    "3.11", "", "", NULL, NULL },
  { "requirements file", "build:\n" P311 "  python_requirements: requirements.txt\n" NAMED, "3.11",
    "", "", NULL, NULL },
  { "requirements file that is not there",
    "build:\n" P311 "  python_requirements: reqs.txt\n" NAMED, NULL, NULL, NULL, NULL,
    "file 'reqs.txt' does not exist" },
  { "both kinds of packages",
    "build:\n" P311 "  python_requirements: requirements.txt\n  python_packages: [six]\n" NAMED,
    NULL, NULL, NULL, NULL, "set together with build.python_requirements" },
  { "system packages",
    "build:\n" P311 "  system_packages:\n    - \"libgl1\"\n    - ffmpeg\n    - git\n" NAMED, "3.11",
    "", "", NULL, NULL },
  { "system package with an option", "build:\n" P311 "  system_packages: [\"-y ffmpeg\"]\n" NAMED,
    NULL, NULL, NULL, NULL, "expected the name of a package" },
  { "downloader into a system folder",
    "build:\n" P311 "  run:\n    - curl -o /usr/local/bin/pget -L \"https://example.com/pget\" && "
    "chmod +x /usr/local/bin/pget\n" NAMED,
    "3.11", "",
    "curl -o /usr/local/bin/pget -L \"https://example.com/pget\" && chmod +x /usr/local/bin/pget",
    "build.run: 'curl -o /usr/local/bin/pget", NULL },
  { "pip in build.run", "build:\n" P311 "  run:\n    - \"pip install -U wheel\"\n" NAMED, "3.11",
    "", "pip install -U wheel", NULL, NULL },
  { "apt-get in build.run",
    "build:\n" P311 "  run:\n    - apt-get update && apt-get install -y git-lfs\n" NAMED, "3.11",
    "", "apt-get update && apt-get install -y git-lfs", "build.system_packages", NULL },
  { "clone into /src",
    "build:\n" P311 "  run:\n    - git clone https://example.com/a /src/a\n" NAMED, "3.11", "",
    "git clone https://example.com/a /src/a", "relative to that folder", NULL },
  { "cache mount in front",
    "build:\n" P311
    "  run:\n    - --mount=type=cache,target=/var/cache/pip pip install wheel\n" NAMED,
    "3.11", "", "pip install wheel", "the cache mount at /var/cache/pip is left out", NULL },
  { "cache mount as a map",
    "build:\n" P311 "  run:\n    - command: make\n      mounts:\n        - type: cache\n"
    "          target: /c\n" NAMED,
    "3.11", "", "make", "the cache mount at /c is left out", NULL },
  { "secret mount as a map",
    "build:\n" P311 "  run:\n    - command: cat /t\n      mounts:\n        - type: secret\n"
    "          id: token\n          target: /t\n" NAMED,
    NULL, NULL, NULL, NULL, "needs the secret 'token'" },
  { "secret mount in front",
    "build:\n" P311 "  run:\n    - --mount=type=secret,id=token,target=/t cat /t\n" NAMED, NULL,
    NULL, NULL, NULL, "needs the secret 'token'" },
  { "bind mount",
    "build:\n" P311 "  run:\n    - --mount=type=bind,source=a,target=/a sh /a\n" NAMED, NULL, NULL,
    NULL, NULL, "a bind mount at /a" },
  { "script of several lines", "build:\n" P311 "  run:\n    - |\n      a\n      b\n" NAMED, NULL,
    NULL, NULL, NULL, "a command with a line break" },
  { "block with one line", "build:\n" P311 "  run:\n    - |\n      make all\n" NAMED, "3.11", "",
    "make all", NULL, NULL },
  { "folded command", "build:\n" P311 "  run:\n    - >-\n      make\n      all\n" NAMED, "3.11", "",
    "make all", NULL, NULL },
  { "pre_install", "build:\n" P311 "  run: [a]\n  pre_install: [b]\n" NAMED, "3.11", "", "a|b",
    "pre_install: deprecated", NULL },
  { "image of a registry", "image: \"r.example/a/b\"\nbuild:\n" P311 NAMED, "3.11", "", "", NULL,
    NULL },
  { "train beside predict", "build:\n" P311 NAMED "train: \"train.py:train\"\n", "3.11", "", "",
    NULL, NULL },
  { "train alone", "build:\n" P311 "train: train.py:train\n", "3.11", "", "", NULL, NULL },
  { "predict and run", "build:\n" P311 NAMED "run: predict.py:Predictor\n", NULL, NULL, NULL, NULL,
    "set together with 'run'" },
  { "model in a folder", "build:\n" P311 "predict: \"src/model.py:Model\"\n", "3.11", "", "", NULL,
    NULL },
  { "reference without class", "build:\n" P311 "predict: predict.py\n", NULL, NULL, NULL, NULL,
    "expected the form 'predict.py:Predictor'" },
  { "concurrency", "build:\n" P311 "run: predict.py:Predictor\nconcurrency:\n  max: 32\n", "3.11",
    "", "", NULL, NULL },
  { "concurrency on 3.10", "build:\n  python_version: \"3.10\"\n" NAMED "concurrency: {max: 4}\n",
    NULL, NULL, NULL, NULL, "needs build.python_version 3.11" },
  { "environment", "build:\n" P311 "environment:\n  - HF_HOME=/src/hf\n  - A=\n" NAMED, "3.11", "",
    "", NULL, NULL },
  { "environment below build", "build:\n" P311 "  environment:\n    - A=b\n" NAMED, "3.11", "", "",
    "build.environment: unknown key, ignored", NULL },
  { "environment of the server's", "build:\n" P311 "environment: [CUDA_HOME=/x]\n" NAMED, NULL,
    NULL, NULL, NULL, "'CUDA_HOME' is reserved" },
  { "sdk_version", "build:\n" P311 "  sdk_version: 0.16.0\n" NAMED, "3.11", "", "",
    "sdk_version: ignored", NULL },
  { "managed weights", "build:\n" P311 NAMED "weights: [{name: a, target: /w, source: {uri: x}}]\n",
    NULL, NULL, NULL, NULL, "weights.target: expected a folder below the project" },
  { "managed weights of a hub",
    "build:\n" P311 NAMED
    "weights: [{name: a, target: /src/w, source: {uri: 'hf://lab/tiny', include: ['*.bin']}}]\n",
    "3.11", "", "", NULL, NULL },
  { "examples and tests", "build:\n" P311 NAMED "tests: []\nexamples:\n  - input: {a: b}\n", "3.11",
    "", "", "examples: unknown key, ignored", NULL },
  { "a key with a mistake", "build:\n" P311 "  system_package: [git]\n" NAMED, "3.11", "", "",
    "did you mean 'system_packages'?", NULL },
  { "anchors", "x: &p\n  - six==1.16.0\nbuild:\n" P311 "  python_packages: *p\n" NAMED, "3.11",
    "six==1.16.0", "", "x: unknown key", NULL },
  { "merged maps", "x: &b\n  gpu: true\n  python_version: \"3.12\"\nbuild:\n  <<: *b\n" P311 NAMED,
    "3.11", "", "", NULL, NULL },
  { "merged maps of a list",
    "x: &a {python_version: \"3.12\"}\ny: &b {run: [make]}\nbuild:\n  <<: [*a, *b]\n" NAMED, "3.12",
    "", "make", NULL, NULL },
  { "merged key with a mistake", "x: &b {system_package: [a]}\nbuild:\n  <<: *b\n" P311 NAMED,
    "3.11", "", "", "build.system_package: unknown key", NULL },
  { "lines of Windows", "build:\r\n  python_version: \"3.11\"\r\npredict: predict.py:Predictor\r\n",
    "3.11", "", "", NULL, NULL },
  { "byte order mark",
    "\xef\xbb\xbf"
    "build:\n" P311 NAMED,
    "3.11", "", "", NULL, NULL },
  { "tab as indent", "build:\n\tpython_version: \"3.11\"\n" NAMED, NULL, NULL, NULL, NULL,
    "not valid YAML" },
  { "document marks", "---\nbuild:\n" P311 NAMED "...\n", "3.11", "", "", NULL, NULL },
  { "key twice", "build:\n" P311 NAMED "build:\n" P311, NULL, NULL, NULL, NULL, "duplicate key" },
};

static void
put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_true (vend_dir_ensure (parent, NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static bool
has_text (const GPtrArray *texts, const char *part)
{
  for (guint i = 0; i < texts->len; i++)
    if (strstr (g_ptr_array_index (texts, i), part) != NULL)
      return true;
  return false;
}

static void
say_all (const char *what, const GPtrArray *texts)
{
  for (guint i = 0; i < texts->len; i++)
    g_test_message ("%s: %s", what, (const char *) g_ptr_array_index (texts, i));
}

static void
test_project (gconstpointer data)
{
  const Case *one = data;
  g_autofree char *dir = g_dir_make_tmp ("vend-project-XXXXXX", NULL);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  put (dir, "predict.py", "");
  put (dir, "train.py", "");
  put (dir, "src/model.py", "");
  put (dir, "requirements.txt", "");
  put (dir, "cog.yaml", one->text);
  g_autoptr (VendCogYaml) yaml = vend_cog_yaml_load (dir, problems, warnings);
  g_assert_true (vend_tree_remove (dir, NULL));
  say_all ("problem", problems);
  say_all ("warning", warnings);
  if (one->problem != NULL)
    {
      g_assert_null (yaml);
      g_assert_true (has_text (problems, one->problem));
      return;
    }
  g_assert_cmpuint (problems->len, ==, 0);
  g_assert_nonnull (yaml);
  g_autofree char *packages = g_strjoinv ("|", yaml->python_packages);
  g_autofree char *commands = g_strjoinv ("|", yaml->run);
  g_assert_cmpstr (yaml->python_version, ==, one->python);
  g_assert_cmpstr (packages, ==, one->packages);
  g_assert_cmpstr (commands, ==, one->commands);
  if (one->warning != NULL)
    g_assert_true (has_text (warnings, one->warning));
}

static void
test_other_name (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-project-XXXXXX", NULL);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  put (dir, "cog.yml", NAMED);
  g_assert_null (vend_cog_yaml_load (dir, problems, warnings));
  g_assert_true (vend_tree_remove (dir, NULL));
  g_assert_true (has_text (problems, "not 'cog.yml'; rename it"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/build/cog-yaml-projects/%s", cases[i].name);
      g_strdelimit (path + strlen ("/build/cog-yaml-projects/"), "/ ", '-');
      g_test_add_data_func (path, &cases[i], test_project);
    }
  g_test_add_func ("/build/cog-yaml-projects/another-name", test_other_name);
  return g_test_run ();
}
