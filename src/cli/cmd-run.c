/* `vend run`: one prediction, from key=value to its output. Main thread only. */
#include "cli/commands.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include "cli/inputs.h"
#include "cli/outputs.h"
#include "cli/watch.h"
#include "model/model.h"
#include <stdio.h>
#include <string.h>

#define FAILED_LOG_LINES 10

typedef struct
{
  VendConnection connection;
  char *output;
  char *timeout;
  gboolean may_overwrite;
  gboolean no_wait;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->output);
  g_free (flags->timeout);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

/* What one run needs; pointers are borrowed. */
typedef struct
{
  const Flags *flags;
  VendClient *client;
  VendInterrupt *interrupt;
  VendProgress *progress;
  VendOutputWriter *writer;
  int64_t started_us;
} Run;

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &flags->output,
      "save the output to a file, or files into a directory", "PATH" },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &flags->may_overwrite, "overwrite files", NULL },
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &flags->no_wait, "print the prediction's id and leave",
      NULL },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &flags->timeout,
      "cancel the prediction after this time", "DURATION" },
    { NULL },
  };
  const VendOptions options = {
    .command = "run",
    .usage = "owner/name[:version] key=value key=@file …",
    .summary = "Runs a model and prints what it returns.",
    .details = "Values are read by the model's input types; lists and objects are JSON.\n"
               "key=@file uploads a file, key=@@text is the text \"@text\".\n"
               "Ctrl-C cancels the prediction.",
    .entries = entries,
    .connection = &flags->connection,
    .least = 1,
    .most = G_MAXUINT,
  };
  return vend_options_parse (&options, argc, argv, out_words, error);
}

/* The schema of the version that will run; `*out_openapi` is a new reference. */
static bool
fetch_schema (VendClient *client, const char *owner, const char *name, const char *version,
              json_t **out_openapi, GError **error)
{
  json_auto_t *answer = NULL;
  g_autofree char *path
      = version != NULL ? g_strdup_printf ("/v1/models/%s/%s/versions/%s", owner, name, version)
                        : g_strdup_printf ("/v1/models/%s/%s", owner, name);
  if (!vend_client_call (client, "GET", path, NULL, &answer, error))
    {
      g_prefix_error (error, "%s/%s: ", owner, name);
      return false;
    }
  const json_t *found = version != NULL ? answer : json_object_get (answer, "latest_version");
  if (!json_is_object (found))
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "%s/%s has no version yet; 'vend push' makes one", owner, name);
  *out_openapi = json_incref (json_object_get (found, "openapi_schema"));
  return true;
}

static void
warn_unknown (const json_t *openapi, const GPtrArray *arguments)
{
  for (guint i = 0; i < arguments->len; i++)
    {
      const VendInputArgument *argument = g_ptr_array_index (arguments, i);
      if (vend_input_is_known (openapi, argument->name))
        continue;
      const char *nearest = vend_input_suggest (openapi, argument->name);
      if (nearest != NULL)
        vend_terminal_warn ("the model has no input '%s'; did you mean '%s'?", argument->name,
                            nearest);
      else
        vend_terminal_warn ("the model has no input '%s'", argument->name);
    }
}

static bool
upload (const Run *run, const VendInputArgument *argument, json_t **out, GError **error)
{
  json_auto_t *file = NULL;
  vend_progress_show (run->progress, "uploading %s", argument->text);
  bool good = vend_client_upload_file (run->client, argument->text, &file, error);
  vend_progress_clear (run->progress);
  if (!good)
    return false;
  const char *url = vend_json_string (json_object_get (file, "urls"), "get");
  if (url == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "the uploaded file '%s' has no URL",
                      argument->text);
  *out = json_string (url);
  return true;
}

/* Everything that can be wrong is found before the first file travels. */
static bool
make_input (const Run *run, const json_t *openapi, const GPtrArray *arguments, json_t **out,
            GError **error)
{
  json_auto_t *input = json_object ();

  warn_unknown (openapi, arguments);
  if (!vend_input_required_check (openapi, arguments, error))
    return false;
  for (guint i = 0; i < arguments->len; i++)
    {
      const VendInputArgument *argument = g_ptr_array_index (arguments, i);
      json_t *value = NULL;
      if (argument->is_file ? !vend_input_file_check (openapi, argument, error)
                            : !vend_input_value (openapi, argument, &value, error)
                                  || !vend_input_set (openapi, input, argument, value, error))
        return false;
    }
  for (guint i = 0; i < arguments->len; i++)
    {
      const VendInputArgument *argument = g_ptr_array_index (arguments, i);
      json_t *value = NULL;
      if (argument->is_file
          && (!upload (run, argument, &value, error)
              || !vend_input_set (openapi, input, argument, value, error)))
        return false;
    }
  *out = g_steal_pointer (&input);
  return true;
}

static bool
create (VendClient *client, const char *owner, const char *name, const char *version, json_t *input,
        json_t **out, GError **error)
{
  json_auto_t *body = json_pack ("{s:O}", "input", input);
  g_autofree char *path = NULL;
  if (version != NULL)
    {
      path = g_strdup ("/v1/predictions");
      vend_json_set_string (body, "version", version);
    }
  else
    path = g_strdup_printf ("/v1/models/%s/%s/predictions", owner, name);
  if (!vend_client_call (client, "POST", path, body, out, error))
    return false;
  if (vend_json_string (*out, "id") != NULL)
    return true;
  g_clear_pointer (out, json_decref);
  return vend_fail (error, VEND_ERROR_INTERNAL, "the server made a prediction without id");
}

static char *
last_lines (const char *text, guint n)
{
  g_autofree char *trimmed = g_strchomp (g_strdup (text));
  char *at = trimmed + strlen (trimmed);
  while (at > trimmed && (at[-1] != '\n' || --n > 0))
    at--;
  return g_strdup (at);
}

static void
on_change (const json_t *prediction, void *user)
{
  Run *run = user;
  const char *logs = vend_json_string (prediction, "logs");
  g_autofree char *line = last_lines (logs != NULL ? logs : "", 1);
  const char *status = vend_json_string (prediction, "status");

  if (!run->flags->connection.json)
    vend_output_writer_partial (run->writer, json_object_get (prediction, "output"));
  if (!vend_output_writer_is_line_open (run->writer))
    vend_progress_show (run->progress, "%s %.1f s  %s", status != NULL ? status : "",
                        (double) (vend_now_us () - run->started_us) / (double) VEND_US_PER_S, line);
}

/* After Ctrl-C or --timeout; a second Ctrl-C ends the process at once. */
static void
cancel (const Run *run, const char *id)
{
  g_autoptr (GError) problem = NULL;
  vend_client_set_interrupt (run->client, NULL);
  vend_interrupt_release (run->interrupt);
  if (!vend_watch_cancel (run->client, id, NULL, &problem))
    vend_terminal_warn ("prediction %s is not canceled: %s", id, problem->message);
}

static bool
judge (const json_t *prediction, GError **error)
{
  const char *status = vend_json_string (prediction, "status");
  const char *text = vend_json_string (prediction, "error");
  const char *logs = vend_json_string (prediction, "logs");

  if (g_strcmp0 (status, "succeeded") == 0)
    return true;
  if (logs != NULL && *logs != '\0')
    {
      g_autofree char *lines = last_lines (logs, FAILED_LOG_LINES);
      vend_terminal_note ("%s", lines);
    }
  return vend_fail (error, VEND_ERROR_RUNNER, "prediction %s %s%s%s",
                    vend_json_string (prediction, "id"), status, text != NULL ? ": " : "",
                    text != NULL ? text : "");
}

static bool
follow (Run *run, const char *id, int64_t deadline_us, GError **error)
{
  json_auto_t *prediction = NULL;
  const VendWatch watch = { .id = id,
                            .deadline_us = deadline_us,
                            .interrupt = run->interrupt,
                            .on_change = on_change,
                            .user = run };
  g_autoptr (GError) problem = NULL;
  bool is_json = run->flags->connection.json;

  bool is_over = vend_watch_run (&watch, run->client, &prediction, &problem);
  vend_progress_clear (run->progress);
  if (!is_over)
    {
      vend_output_writer_end_line (run->writer);
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED)
          || g_error_matches (problem, VEND_ERROR, VEND_ERROR_TIMEOUT))
        {
          cancel (run, id);
          g_prefix_error (&problem, "prediction %s canceled: ", id);
        }
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (is_json)
    vend_terminal_json (prediction);
  if (g_strcmp0 (vend_json_string (prediction, "status"), "succeeded") != 0)
    vend_output_writer_end_line (run->writer);
  return judge (prediction, error)
         && vend_output_writer_finish (run->writer, run->client,
                                       json_object_get (prediction, "output"), is_json, error);
}

static void
show_created (const Flags *flags, const json_t *prediction)
{
  if (flags->connection.json)
    vend_terminal_json (prediction);
  else
    puts (vend_json_string (prediction, "id"));
}

static bool
run_model (const Flags *flags, char **words, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (GPtrArray) arguments = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  const VendSave save = { flags->output, flags->may_overwrite, progress };
  int64_t timeout_us = 0;
  if (!vend_reference_parse (words[0], &owner, &name, &version, error)
      || !vend_input_arguments_parse (words + 1, &arguments, error)
      || !vend_save_check (&save, error)
      || (flags->timeout != NULL && !vend_duration_parse (flags->timeout, &timeout_us, error)))
    return false;

  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  g_autoptr (VendClient) client = NULL;
  json_auto_t *openapi = NULL;
  if (!vend_client_new (&flags->connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  if (!fetch_schema (client, owner, name, version, &openapi, error))
    return false;

  g_autoptr (VendOutputWriter) writer = vend_output_writer_new (openapi, &save);
  Run run = { flags, client, interrupt, progress, writer, vend_now_us () };
  json_auto_t *input = NULL;
  json_auto_t *prediction = NULL;
  if (!make_input (&run, openapi, arguments, &input, error)
      || !create (client, owner, name, version, input, &prediction, error))
    return false;
  if (flags->no_wait)
    {
      show_created (flags, prediction);
      return true;
    }
  run.started_us = vend_now_us ();
  return follow (&run, vend_json_string (prediction, "id"),
                 timeout_us > 0 ? run.started_us + timeout_us : 0, error);
}

int
vend_cmd_run (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  bool good = parse (argc, argv, &flags, &words, &error) && run_model (&flags, words, &error);
  return vend_exit_code (good, error);
}
