/* Commands of build.run: what is left for the shell, what is told, and what cannot be. */
#include "base/error.h"
#include "build/run-command.h"
#include <string.h>

static void
test_flags (void)
{
  static const struct
  {
    const char *command;
    const char *out;
    guint notes;
  } good[] = {
    { "echo a", "echo a", 0 },
    { "--mount=type=cache,target=/var/cache/pip pip install a", "pip install a", 1 },
    { "--mount=type=cache,target=/a  --mount=type=tmpfs,target=/b make", "make", 2 },
    { "--network=none make --mount=type=secret", "make --mount=type=secret", 1 },
    { "  pip install --mount=type=secret", "pip install --mount=type=secret", 0 },
    { "--mount=type=cache,target=/a", "", 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GError) error = NULL;
      g_autofree char *out = NULL;
      g_test_message ("%s", good[i].command);
      g_assert_true (vend_run_command_read (good[i].command, notes, &out, &error));
      g_assert_cmpstr (out, ==, good[i].out);
      g_assert_cmpuint (notes->len, ==, good[i].notes);
    }
}

static void
test_refused_flags (void)
{
  static const struct
  {
    const char *command;
    const char *why;
  } bad[] = {
    { "--mount=type=secret,id=hf_token,target=/t cat /t", "the secret 'hf_token'" },
    { "--mount=type=ssh git clone x", "the ssh 'default'" },
    { "--mount=type=bind,source=a,target=/tmp/a pip install /tmp/a", "a bind mount at /tmp/a" },
    { "--mount=target=/tmp/a true", "a bind mount" },
    { "--mount=type=other true", "type 'other'" },
    { "--security=insecure true", "'--security=insecure'" },
    { "--mount type=cache,target=/a true", "'--mount'" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GError) error = NULL;
      g_autofree char *out = NULL;
      g_test_message ("%s", bad[i].command);
      g_assert_false (vend_run_command_read (bad[i].command, notes, &out, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, bad[i].why));
      g_assert_null (out);
    }
}

static void
test_advice (void)
{
  static const struct
  {
    const char *command;
    const char *words; /* NULL = none */
  } cases[] = {
    { "apt-get update && apt-get install -y ffmpeg", "build.system_packages" },
    { "sudo make install", "root" },
    { "true; sudo -E make", "root" },
    { "curl -o /usr/local/bin/pget -L \"https://example.com/pget\" && chmod +x /usr/local/bin/pget",
      "$VIRTUAL_ENV/bin" },
    { "mkdir -p /opt/cache/torch", "$VIRTUAL_ENV/bin" },
    { "git clone https://example.com/a /src/a", "'/src'" },
    { "cd /src && ls", "'/src'" },
    { "pip install -U pip", NULL },
    { "/usr/bin/env python x.py", NULL },
    { "curl -L https://example.com/usr/local/x -o weights.bin", NULL },
    { "python -c 'import capt'", NULL },
    { "echo my/src/a", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *advice = vend_run_command_advice (cases[i].command);
      g_test_message ("%s", cases[i].command);
      if (cases[i].words == NULL)
        g_assert_null (advice);
      else
        g_assert_nonnull (strstr (advice, cases[i].words));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/run-command/flags", test_flags);
  g_test_add_func ("/build/run-command/refused-flags", test_refused_flags);
  g_test_add_func ("/build/run-command/advice", test_advice);
  return g_test_run ();
}
