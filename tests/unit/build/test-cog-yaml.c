/* Tests of reading cog.yaml. */
#include "build/cog-yaml.h"
#include "base/fd.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEIGHTS(name, target, source) \
  "weights:\n- {name: " name ", target: " target ", source: " source "}\n"

typedef struct
{
  char *dir;
  GPtrArray *problems;
  GPtrArray *warnings;
} Fixture;

static void
put (Fixture *fixture, const char *name, const char *text, gssize size)
{
  g_autofree char *path = g_build_filename (fixture->dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, size, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->dir = g_dir_make_tmp ("vend-yaml-XXXXXX", NULL);
  fixture->problems = g_ptr_array_new_with_free_func (g_free);
  fixture->warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *sub = g_build_filename (fixture->dir, "src", NULL);
  g_autofree char *link = g_build_filename (fixture->dir, "out.py", NULL);
  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", link), ==, 0);
  put (fixture, "run.py", "", -1);
  put (fixture, "src/train.py", "", -1);
  put (fixture, "requirements.txt", "", -1);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (vend_tree_remove (fixture->dir, NULL));
  g_free (fixture->dir);
  g_ptr_array_unref (fixture->problems);
  g_ptr_array_unref (fixture->warnings);
}

static VendCogYaml *
load (Fixture *fixture, const char *text)
{
  g_ptr_array_set_size (fixture->problems, 0);
  g_ptr_array_set_size (fixture->warnings, 0);
  put (fixture, "cog.yaml", text, -1);
  return vend_cog_yaml_load (fixture->dir, fixture->problems, fixture->warnings);
}

static char *
joined (GPtrArray *texts)
{
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < texts->len; i++)
    g_string_append_printf (all, "%s\n", (char *) g_ptr_array_index (texts, i));
  return g_string_free (all, FALSE);
}

static void
test_good (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *text;
    const char *meaning;
    const char *warnings;
  } good[] = {
    { "run: run.py:Runner\n",
      "{\"concurrency\":0,\"environment\":[],\"gpu\":false,\"python_packages\":[],"
      "\"python_requirements\":null,\"python_version\":null,\"run\":[],\"runner\":\"run.py:"
      "Runner\","
      "\"system_packages\":[],\"train\":null}",
      "" },
    { "# all of it\n"
      "build:\n"
      "  python_version: 3.10\n"
      "  gpu: yes\n"
      "  cuda: 12.1\n"
      "  cudnn: 8\n"
      "  python_requirements: requirements.txt\n"
      "  system_packages: [ffmpeg, \"libgl1\"]\n"
      "  run:\n"
      "    - echo 1\n"
      "    - command: |\n"
      "        echo 2\n"
      "image: r8.im/a/b\n"
      "run: run.py:Runner\n"
      "train: src/train.py:train\n"
      "environment:\n"
      "  - B=x=y\n"
      "  - A=\n"
      "concurrency: {max: 1}\n",
      "{\"concurrency\":1,\"environment\":[\"A=\",\"B=x=y\"],\"gpu\":true,\"python_packages\":[],"
      "\"python_requirements\":\"requirements.txt\",\"python_version\":\"3.10\","
      "\"run\":[\"echo 1\",\"echo 2\"],\"runner\":\"run.py:Runner\","
      "\"system_packages\":[\"ffmpeg\",\"libgl1\"],\"train\":\"src/train.py:train\"}",
      "" },
    { "build:\n  python_version: '3.12.4'\n  python_packages: &p\n  - a==1\n  system_packages: *p\n"
      "  pre_install: [echo 3]\n  sdk_version: 0.16\npredict: ./src/train.py:T_1\nmodel:\n",
      "{\"concurrency\":0,\"environment\":[],\"gpu\":false,\"python_packages\":[\"a==1\"],"
      "\"python_requirements\":null,\"python_version\":\"3.12.4\",\"run\":[\"echo 3\"],"
      "\"runner\":\"./src/train.py:T_1\",\"system_packages\":[\"a==1\"],\"train\":null}",
      "cog.yaml:7: build.sdk_version: ignored, the server decides the version of Cog\n"
      "cog.yaml:3: build.python_packages: deprecated; use build.python_requirements\n"
      "cog.yaml:6: build.pre_install: deprecated; use build.run\n"
      "cog.yaml:8: predict: deprecated; the key is now 'run'\n" },
    { "build: {}\ntrain: src/train.py:t\npredictt: x\nbuilt:\n  a: 1\nqwertyuiop: 1\n",
      "{\"concurrency\":0,\"environment\":[],\"gpu\":false,\"python_packages\":[],"
      "\"python_requirements\":null,\"python_version\":null,\"run\":[],\"runner\":null,"
      "\"system_packages\":[],\"train\":\"src/train.py:t\"}",
      "cog.yaml:3: predictt: unknown key, ignored; did you mean 'predict'?\n"
      "cog.yaml:4: built: unknown key, ignored; did you mean 'build'?\n"
      "cog.yaml:6: qwertyuiop: unknown key, ignored\n"
      "cog.yaml:1: build.python_version: not set, the server's default is used; set a version so "
      "that "
      "builds stay the same\n" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (VendCogYaml) yaml = load (fixture, good[i].text);
      g_autofree char *problems = joined (fixture->problems);
      g_autofree char *warnings = joined (fixture->warnings);
      g_assert_cmpstr (problems, ==, "");
      g_assert_cmpstr (warnings, ==, good[i].warnings);
      g_assert_nonnull (yaml);
      g_autofree char *meaning = vend_json_text (yaml->meaning);
      g_assert_cmpstr (meaning, ==, good[i].meaning);
    }
}

#define RUN "run: run.py:R\n"

/* Each with the line it must name and a part of what it must say. */
static void
test_bad (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *text;
    const char *problem;
  } bad[] = {
    { "", "cog.yaml: no model: set 'run'" },
    { "build: {python_version: '3.12'}\n", "cog.yaml: no model" },
    { "# later\n", "cog.yaml: no model" },
    { "- a\n", "cog.yaml:1: the file: expected a map, got a list" },
    { "hello\n", "cog.yaml:1: the file: expected a map, got 'hello'" },
    { RUN "build: [\n", "not valid YAML: " },
    { RUN "a: b: c\n", "cog.yaml:2: not valid YAML: " },
    { RUN "build: \xFF\n", "cog.yaml: not valid YAML: not UTF-8 text" },
    { RUN "build: 3\n", "cog.yaml:2: build: expected a map, got '3'" },
    { RUN "build:\n  gpu: maybe\n", "cog.yaml:3: build.gpu: expected true or false, got 'maybe'" },
    { RUN "build:\n  gpu: 'true'\n", "cog.yaml:3: build.gpu: expected true or false" },
    { RUN "build:\n  gpu: {}\n", "cog.yaml:3: build.gpu: expected true or false, got a map" },
    { RUN "build:\n  cuda: [1]\n", "cog.yaml:3: build.cuda: expected text, got a list" },
    { RUN "build: {python_version: 3.9}\n", "cog.yaml:2: build.python_version: expected 3.10" },
    { RUN "build: {python_version: '2.30'}\n", "cog.yaml:2: build.python_version: expected 3.10" },
    { RUN "build: {python_version: 3}\n", "expected a version like 3.12 or 3.12.4, got '3'" },
    { RUN "build: {python_version: \"3.12\\n\"}\n", "build.python_version: expected a version" },
    { RUN "build: {python_version: '>=3.10'}\n", "got '>=3.10'" },
    { RUN "build: {python_requirements: no.txt}\n", "python_requirements: file 'no.txt' does not" },
    { RUN "build: {python_requirements: src}\n", "'src' is not a file" },
    { RUN "build: {python_requirements: /etc/passwd}\n", "must be relative" },
    { RUN "build: {python_requirements: ../../../etc/passwd}\n", "lies outside of the project" },
    { RUN "build:\n  python_requirements: requirements.txt\n  python_packages: [a]\n",
      "cog.yaml:4: build.python_packages: cannot be set" },
    { RUN "build: {python_packages: [{a: b}]}\n", "python_packages: expected text, got a map" },
    { RUN "build: {python_packages: a}\n", "python_packages: expected a list, got 'a'" },
    { RUN "build:\n  system_packages: [\n  a,\n  -y]\n",
      "cog.yaml:5: build.system_packages: expected the name of a package, got '-y'" },
    { RUN "build:\n  run:\n  - ~\n  - a\n", "cog.yaml:4: build.run: an empty item" },
    { RUN "build:\n  run:\n  - a\n  - ''\n", "cog.yaml:5: build.run: an empty command" },
    { RUN "build:\n  run:\n  - |\n    a\n    b\n", "build.run: a command with a line break" },
    { RUN "build:\n  run:\n  - [a]\n", "build.run: expected text, got a list" },
    { RUN "build:\n  run:\n  - a: b\n", "cog.yaml:4: build.run: a map without 'command'" },
    { RUN "build:\n  run:\n  - command: a\n    mounts:\n    - type: secret\n      id: x\n",
      "cog.yaml:6: build.run: the command needs the secret 'x'" },
    { RUN "predict: run.py:R\n", "cog.yaml:2: predict: cannot be set together with 'run'" },
    { "run: run.py\n", "cog.yaml:1: run: expected the form 'run.py:Runner', got 'run.py'" },
    { "run: 'run.py:'\n", "cog.yaml:1: run: expected the form" },
    { "run: run.py:a b\n", "cog.yaml:1: run: expected the form" },
    { "run: .py:R\n", "cog.yaml:1: run: expected the form" },
    { "run: a.py:b.py:R\n", "cog.yaml:1: run: expected the form" },
    { "run: [a]\n", "cog.yaml:1: run: expected text, got a list" },
    { "run: no.py:R\n", "cog.yaml:1: run: file 'no.py' does not exist" },
    { "run: out.py:R\n", "cog.yaml:1: run: 'out.py' lies outside of the project" },
    { "run: ../no-such-file.py:R\n", "run: file '../no-such-file.py' does not exist" },
    { "train: t.py:t\n", "cog.yaml:1: train: file 't.py' does not exist" },
    { RUN "run: run.py:Q\n", "cog.yaml:2: run: duplicate key" },
    { RUN "? [a]\n: b\n", "a key that is not plain text" },
    { RUN "build:\n  <<: [a]\n", "cog.yaml:3: build.<<: expected a map" },
    { RUN "build:\n  <<: {<<: {gpu: true}}\n", "build.<<: a map that merges others" },
    { RUN "environment: {A: b}\n", "cog.yaml:2: environment: expected a list, got a map" },
    { RUN "environment:\n- A\n", "cog.yaml:3: environment: expected KEY=VALUE, got 'A'" },
    { RUN "environment:\n- =A\n", "cog.yaml:3: environment: expected KEY=VALUE with a name" },
    { RUN "environment:\n- PATH=a\n", "cog.yaml:3: environment: 'PATH' is reserved" },
    { RUN "environment:\n- NVIDIA_X=a\n", "cog.yaml:3: environment: 'NVIDIA_X' is reserved" },
    { RUN "environment:\n- A=a\n- A=b\n", "cog.yaml:4: environment: 'A' is set twice" },
    { RUN "environment:\n- \"A=\\0\"\n", "cog.yaml:3: environment: has a NUL character" },
    { RUN "concurrency: {max: 0}\n", "concurrency.max: expected a number from 1 to 256, got '0'" },
    { RUN "concurrency: {max: 257}\n", "from 1 to 256, got '257'" },
    { RUN "concurrency: {max: many}\n", "from 1 to 256, got 'many'" },
    { RUN "concurrency: 3\n", "concurrency: expected a map, got '3'" },
    { RUN "build: {python_version: 3.10}\nconcurrency: {max: 2}\n",
      "cog.yaml:3: concurrency.max: more than 1 needs build.python_version 3.11 or later" },
    { RUN WEIGHTS ("a", "w", "s3://w/x"), "weights.source: expected 'file://FOLDER'" },
    { RUN WEIGHTS ("a", "w", "http://x/w.bin"), "use https, or give its sha256" },
    { RUN WEIGHTS ("a", "w", "hf://tiny"), "expected hf://OWNER/REPO@REVISION" },
    { RUN WEIGHTS ("a", "w", "{uri: 'https://x/w', include: ['*']}"), "is one file" },
    { RUN WEIGHTS ("a", "w", "{uri: 'https://x/w', sha256: ab}"), "64 hexadecimal digits" },
    { RUN WEIGHTS ("a", "w", "{include: ['*']}"), "weights.source.uri: missing" },
    { RUN WEIGHTS ("a/b", "w", "file://w"), "weights.name: expected 1 to 64 letters" },
    { RUN WEIGHTS ("a", "/w", "file://w"), "weights.target: expected a folder below the project" },
    { RUN WEIGHTS ("a", "../w", "file://w"), "weights.target: expected a folder below" },
    { RUN "weights:\n- {name: a, source: 'file://w'}\n", "cog.yaml:3: weights.target: missing" },
    { RUN "weights:\n- {name: a, target: w}\n", "cog.yaml:3: weights.source: missing" },
    { RUN WEIGHTS ("a", "w", "file://w") "- {name: a, target: v, source: 'file://v'}\n",
      "weights.name: 'a' is there twice" },
    { RUN WEIGHTS ("a", "w", "file://w") "- {name: b, target: w/v, source: 'file://v'}\n",
      "weights.target: 'w' and 'w/v' overlap" },
    { RUN "image: [a]\n", "cog.yaml:2: image: expected text, got a list" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendCogYaml) yaml = load (fixture, bad[i].text);
      g_autofree char *problems = joined (fixture->problems);
      g_test_message ("%s", problems);
      g_assert_null (yaml);
      g_assert_cmpuint (fixture->problems->len, ==, 1);
      g_assert_nonnull (strstr (problems, bad[i].problem));
    }
}

static void
test_all_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VendCogYaml) yaml
      = load (fixture, "build:\n  gpu: maybe\n  python_version: 3.8\nrun: no.py:R\n"
                       "environment: [PATH=x, A]\nconcurrency: {max: -1}\nweights: [1]\n");
  g_autofree char *problems = joined (fixture->problems);
  g_assert_null (yaml);
  g_assert_cmpstr (problems, ==,
                   "cog.yaml:3: build.python_version: expected 3.10 or a later 3.x, got '3.8'\n"
                   "cog.yaml:2: build.gpu: expected true or false, got 'maybe'\n"
                   "cog.yaml:4: run: file 'no.py' does not exist\n"
                   "cog.yaml:5: environment: 'PATH' is reserved, the server sets it\n"
                   "cog.yaml:5: environment: expected KEY=VALUE, got 'A'\n"
                   "cog.yaml:6: concurrency.max: expected a number from 1 to 256, got '-1'\n"
                   "cog.yaml:7: weights: expected a map, got '1'\n");
}

static void
test_no_file (Fixture *fixture, gconstpointer data)
{
  g_assert_null (vend_cog_yaml_load (fixture->dir, fixture->problems, fixture->warnings));
  g_assert_cmpuint (fixture->problems->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (fixture->problems, 0), "run: run.py:Runner"));
}

/* Each level names the one before it ten times. */
static void
test_alias_bomb (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (RUN "a0: &a0 [x]\n");
  for (int i = 1; i < 12; i++)
    {
      g_string_append_printf (text, "a%d: &a%d [", i, i);
      for (int j = 0; j < 10; j++)
        g_string_append_printf (text, "*a%d,", i - 1);
      g_string_append (text, "]\n");
    }
  g_assert_null (load (fixture, text->str));
  g_assert_nonnull (strstr (g_ptr_array_index (fixture->problems, 0), "aliases"));
}

static void
test_large (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) keys = g_string_new (RUN);
  g_autofree char *huge = g_strnfill (VEND_COG_YAML_MAX_SIZE + 1, '#');
  g_autofree char *deep = g_strnfill (100000, '[');
  for (int i = 0; i < 20000; i++)
    g_string_append_printf (keys, "key%d: 1\n", i);
  g_assert_null (load (fixture, huge));
  g_assert_nonnull (strstr (g_ptr_array_index (fixture->problems, 0), "larger than"));
  g_assert_null (load (fixture, deep));
  g_assert_cmpuint (fixture->problems->len, ==, 1);
  g_autoptr (VendCogYaml) yaml = load (fixture, keys->str);
  g_assert_nonnull (yaml);
  g_assert_cmpuint (fixture->warnings->len, ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/build/cog-yaml/good", Fixture, NULL, set_up, test_good, tear_down);
  g_test_add ("/build/cog-yaml/bad", Fixture, NULL, set_up, test_bad, tear_down);
  g_test_add ("/build/cog-yaml/all-at-once", Fixture, NULL, set_up, test_all_at_once, tear_down);
  g_test_add ("/build/cog-yaml/no-file", Fixture, NULL, set_up, test_no_file, tear_down);
  g_test_add ("/build/cog-yaml/alias-bomb", Fixture, NULL, set_up, test_alias_bomb, tear_down);
  g_test_add ("/build/cog-yaml/large", Fixture, NULL, set_up, test_large, tear_down);
  return g_test_run ();
}
