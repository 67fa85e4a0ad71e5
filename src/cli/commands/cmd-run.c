/* `vend run` and `vend train`: one prediction or training, from key=value to its output. Main
 * thread only. */
#include "cli/commands.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include "cli/arguments/arguments.h"
#include "cli/arguments/inputs.h"
#include "cli/commands/saved-example.h"
#include "cli/commands/version-id.h"
#include "cli/terminal/outputs.h"
#include "cli/client/watch.h"
#include "model/model.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define FAILED_LOG_LINES 10

typedef struct
{
  VendConnection connection;
  char *output;
  char *timeout;
  char *deployment;  /* "owner/name" of the deployment to run instead of a model */
  char *destination; /* of a training */
  char *example_dir; /* where the run is kept as an example, or NULL */
  bool is_training;
  gboolean may_overwrite;
  gboolean no_wait;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->output);
  g_free (flags->timeout);
  g_free (flags->deployment);
  g_free (flags->destination);
  g_free (flags->example_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

/* The version to run. */
typedef struct
{
  char *owner; /* of the deployment, when there is one */
  char *name;
  char *version; /* NULL: the latest */
  json_t *openapi;
} Target;

static void
target_clear (Target *target)
{
  g_free (target->owner);
  g_free (target->name);
  g_free (target->version);
  json_decref (target->openapi);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Target, target_clear)

/* The context of one run; pointers are borrowed. */
typedef struct
{
  const Flags *flags;
  VendClient *client;
  VendInterrupt *interrupt;
  VendProgress *progress;
  VendOutputWriter *writer;
  VendSavedExample *example; /* or NULL */
  int64_t started_us;
} Run;

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &flags->output,
      "save the output to a file, or files into a directory", "PATH" },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &flags->may_overwrite, "overwrite existing files", NULL },
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &flags->no_wait,
      flags->is_training ? "print the id of the training and exit"
                         : "print the id of the prediction and exit",
      NULL },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &flags->timeout,
      flags->is_training ? "cancel the training after this time"
                         : "cancel the prediction after this time",
      "DURATION" },
    { flags->is_training ? "destination" : "deployment", 0, 0, G_OPTION_ARG_STRING,
      flags->is_training ? &flags->destination : &flags->deployment,
      flags->is_training ? "model that receives the trained version"
                         : "run this deployment instead of a model",
      "owner/name" },
    { NULL },
  };
  const GOptionEntry more[] = {
    { "save-example", 0, 0, G_OPTION_ARG_FILENAME, &flags->example_dir,
      "keep the run as an example in the vend.yaml of this folder", "DIR" },
    { NULL },
  };
  const VendOptions options = {
    .command = flags->is_training ? "train" : "run",
    .usage = flags->is_training
                 ? "owner/name[:version] --destination owner/name key=value key=@file …"
                 : "owner/name[:version] key=value key=@file …",
    .summary = flags->is_training ? "Trains a model and prints the new version of the destination."
                                  : "Runs a model and prints its output.",
    .details = "Values are parsed by the model's input types; lists and objects are JSON.\n"
               "key=@file uploads a file, key=@@text is the text \"@text\".\n"
               "Ctrl-C cancels the run.",
    .entries = entries,
    .more = flags->is_training ? NULL : more,
    .connection = &flags->connection,
    .most = G_MAXUINT,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  if (flags->deployment == NULL && (*out_words)[0] == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "expected 'vend %s %s'; see 'vend %s --help'",
                      options.command, options.usage, options.command);
  const char *waits = flags->output != NULL        ? "-o"
                      : flags->timeout != NULL     ? "--timeout"
                      : flags->example_dir != NULL ? "--save-example"
                                                   : NULL;
  if (flags->no_wait && waits != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--no-wait cannot be combined with %s: the command does not wait for the end "
                      "of the %s",
                      waits, flags->is_training ? "training" : "prediction");
  if (flags->is_training && flags->destination == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected --destination owner/name; see 'vend train --help'");
  return true;
}

/* Trainings are asked for and answered like predictions, by other names in the schema. */
static bool
use_training_schema (Target *target, GError **error)
{
  json_t *schemas = json_object_get (json_object_get (target->openapi, "components"), "schemas");
  json_t *input = json_object_get (schemas, "TrainingInput");
  json_t *output = json_object_get (schemas, "TrainingOutput");
  if (input == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s/%s cannot be trained: its cog.yaml has no 'train'", target->owner,
                      target->name);
  json_object_set (schemas, "Input", input);
  if (output != NULL)
    json_object_set (schemas, "Output", output);
  return true;
}

/* Finds the version that will run, and its schema. */
static bool
fetch_version (VendClient *client, const char *owner, const char *name, Target *target,
               GError **error)
{
  const char *version = target->version;
  json_auto_t *answer = NULL;
  g_autofree char *path
      = version != NULL ? g_strdup_printf ("/v1/models/%s/%s/versions/%s", owner, name, version)
                        : g_strdup_printf ("/v1/models/%s/%s", owner, name);
  if (!vend_client_call (client, "GET", path, NULL, &answer, error))
    return false;
  const json_t *found = version != NULL ? answer : json_object_get (answer, "latest_version");
  if (!json_is_object (found))
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "%s/%s has no version yet; 'vend push' makes one", owner, name);
  target->openapi = json_incref (json_object_get (found, "openapi_schema"));
  if (target->version == NULL)
    target->version = g_strdup (vend_json_string (found, "id"));
  return true;
}

/* The version of the deployment's current release. */
static bool
fetch_deployed (VendClient *client, Target *target, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/v1/deployments/%s/%s", target->owner, target->name);
  g_autofree char *owner = NULL, *name = NULL, *none = NULL;
  json_auto_t *deployment = NULL;
  if (!vend_client_call (client, "GET", path, NULL, &deployment, error))
    return false;
  const json_t *release = json_object_get (deployment, "current_release");
  const char *model = vend_json_string (release, "model");
  target->version = g_strdup (vend_json_string (release, "version"));
  return vend_reference_parse (model != NULL ? model : "", &owner, &name, &none, error)
         && fetch_version (client, owner, name, target, error);
}

static bool
fetch_target (VendClient *client, const Flags *flags, Target *target, GError **error)
{
  if (flags->deployment != NULL)
    return fetch_deployed (client, target, error);
  return fetch_version (client, target->owner, target->name, target, error)
         && (!flags->is_training || use_training_schema (target, error));
}

/* Before anything is uploaded for it. */
static bool
check_destination (VendClient *client, const char *destination, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) problem = NULL;
  json_auto_t *model = NULL;
  if (!vend_argument_model_path (destination, &path, error))
    {
      g_prefix_error (error, "--destination: ");
      return false;
    }
  if (vend_client_call (client, "GET", path, NULL, &model, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "--destination: %s; 'vend models create %s' makes it", problem->message,
                      destination);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
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
  if (run->example != NULL)
    vend_saved_example_uploaded (run->example, url, argument->text);
  *out = json_string (url);
  return true;
}

/* All mistakes are found before the first file is uploaded. */
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
      VendInputArgument *argument = g_ptr_array_index (arguments, i);
      json_t *value = NULL;
      if (!vend_input_read_secret (openapi, argument, error))
        return false;
      if (argument->is_file ? !vend_input_file_check (openapi, argument, error)
                            : !vend_input_value (openapi, argument, &value, error)
                                  || !vend_input_set (openapi, input, argument, value, error))
        return false;
    }
  if (run->flags->is_training && !check_destination (run->client, run->flags->destination, error))
    return false;
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
create (VendClient *client, const Flags *flags, const Target *target, const char *version,
        json_t *input, json_t **out, GError **error)
{
  const char *owner = target->owner, *name = target->name;
  json_auto_t *body = json_pack ("{s:O}", "input", input);
  g_autofree char *path = NULL;
  if (flags->is_training)
    {
      path = g_strdup_printf ("/v1/models/%s/%s/versions/%s/trainings", owner, name,
                              target->version);
      vend_json_set_string (body, "destination", flags->destination);
    }
  else if (flags->deployment != NULL)
    path = g_strdup_printf ("/v1/deployments/%s/%s/predictions", owner, name);
  else if (version != NULL)
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

static const char *
noun (const Flags *flags)
{
  return flags->is_training ? "training" : "prediction";
}

/* After Ctrl-C or --timeout; a second Ctrl-C ends the process at once. */
static bool
cancel (const Run *run, const char *id)
{
  g_autoptr (GError) problem = NULL;
  vend_client_set_interrupt (run->client, NULL);
  vend_interrupt_release (run->interrupt);
  if (vend_watch_cancel (run->client, id, run->flags->is_training, NULL, &problem))
    return true;
  vend_terminal_warn ("%s %s is not canceled: %s", noun (run->flags), id, problem->message);
  return false;
}

/* What ended the watch before the prediction: Ctrl-C and --timeout end the prediction too. */
static bool
fail_early (const Run *run, const char *id, const GError *problem, GError **error)
{
  const bool is_late = g_error_matches (problem, VEND_ERROR, VEND_ERROR_TIMEOUT);
  if (!is_late && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
    {
      g_propagate_error (error, g_error_copy (problem));
      return false;
    }
  const bool is_canceled = cancel (run, id);
  return vend_fail (error, problem->code, "%s %s%s: %s%s", noun (run->flags), id,
                    is_canceled ? " was canceled" : "",
                    is_late ? "it ran longer than --timeout " : "interrupted",
                    is_late ? run->flags->timeout : "");
}

static bool
judge (const Flags *flags, const json_t *prediction, GError **error)
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
  return vend_fail (error, VEND_ERROR_RUNNER, "%s %s %s%s%s", noun (flags),
                    vend_json_string (prediction, "id"), status, text != NULL ? ": " : "",
                    text != NULL ? text : "");
}

/* The version is the last line; weights are saved on request. */
static bool
finish_training (Run *run, const json_t *output, GError **error)
{
  const char *version = vend_json_string (output, "version");
  json_auto_t *weights = json_pack ("[O?]", json_object_get (output, "weights"));
  if (version == NULL)
    return vend_output_writer_finish (run->writer, run->client, output, false, error);
  if (run->flags->output != NULL
      && !vend_output_writer_finish (run->writer, run->client, weights, true, error))
    return false;
  vend_terminal_print ("%s\n", version);
  return true;
}

static bool
finish (Run *run, const json_t *output, GError **error)
{
  const bool is_json = run->flags->connection.json;
  return run->flags->is_training && !is_json
             ? finish_training (run, output, error)
             : vend_output_writer_finish (run->writer, run->client, output, is_json, error);
}

static bool
follow (Run *run, const char *id, int64_t deadline_us, GError **error)
{
  json_auto_t *prediction = NULL;
  const VendWatch watch = { .id = id,
                            .is_training = run->flags->is_training,
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
      return fail_early (run, id, problem, error);
    }
  if (is_json)
    vend_terminal_json (prediction);
  if (g_strcmp0 (vend_json_string (prediction, "status"), "succeeded") != 0)
    vend_output_writer_end_line (run->writer);
  return judge (run->flags, prediction, error)
         && finish (run, json_object_get (prediction, "output"), error)
         && (run->example == NULL
             || vend_saved_example_write (run->example, run->client, prediction, error));
}

static void
show_created (const Flags *flags, const json_t *prediction)
{
  if (flags->connection.json)
    vend_terminal_json (prediction);
  else
    vend_terminal_print ("%s\n", vend_json_string (prediction, "id"));
}

/* Of a model also the beginning of the id of its version, NULL without one. */
static bool
parse_target (const Flags *flags, char **words, Target *target, char **out_prefix, GError **error)
{
  g_autofree char *version = NULL;
  if (flags->deployment != NULL)
    return vend_reference_parse (flags->deployment, &target->owner, &target->name, &version, error);
  g_auto (GStrv) parts = g_strsplit (words[0], ":", 2);
  if (!vend_reference_parse (parts[0] != NULL ? parts[0] : "", &target->owner, &target->name,
                             &version, error)
      || (parts[0] != NULL && parts[1] != NULL
          && !vend_argument_version_prefix_check (parts[1], error)))
    return false;
  *out_prefix = parts[0] != NULL ? g_strdup (parts[1]) : NULL;
  return true;
}

static bool
find_version (VendClient *client, const Target *target, const char *prefix, char **out,
              GError **error)
{
  g_autofree char *model = g_strconcat (target->owner, "/", target->name, NULL);
  return vend_version_id_find (client, model, prefix, out, error);
}

static bool
run_model (const Flags *flags, char **words, GError **error)
{
  g_auto (Target) target = { 0 };
  g_autofree char *prefix = NULL, *version = NULL;
  g_autoptr (GPtrArray) arguments = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  g_autoptr (VendSavedExample) example = NULL;
  const VendSave save = { flags->output, flags->may_overwrite, progress };
  int64_t timeout_us = 0;
  if (!parse_target (flags, words, &target, &prefix, error)
      || !vend_input_arguments_parse (words + (flags->deployment == NULL ? 1 : 0), &arguments,
                                      error)
      || !vend_save_check (&save, error)
      || (flags->example_dir != NULL
          && !vend_saved_example_new (flags->example_dir, progress, &example, error))
      || (flags->timeout != NULL && !vend_duration_parse (flags->timeout, &timeout_us, error)))
    return false;

  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  g_autoptr (VendClient) client = NULL;
  if (!vend_client_new (&flags->connection, &client, error))
    return false;
  vend_client_set_interrupt (client, interrupt);
  if (prefix != NULL && !find_version (client, &target, prefix, &version, error))
    return false;
  target.version = g_strdup (version);
  if (!fetch_target (client, flags, &target, error))
    return false;

  g_autoptr (VendOutputWriter) writer = vend_output_writer_new (target.openapi, &save);
  Run run = { flags, client, interrupt, progress, writer, example, vend_now_us () };
  json_auto_t *input = NULL;
  json_auto_t *prediction = NULL;
  if (!make_input (&run, target.openapi, arguments, &input, error)
      || !create (client, flags, &target, version, input, &prediction, error))
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

static int
run_command (int argc, char **argv, bool is_training)
{
  g_auto (Flags) flags = { .is_training = is_training };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  bool good = parse (argc, argv, &flags, &words, &error) && run_model (&flags, words, &error);
  return vend_exit_code (good, error);
}

int
vend_cmd_run (int argc, char **argv)
{
  return run_command (argc, argv, false);
}

int
vend_cmd_train (int argc, char **argv)
{
  return run_command (argc, argv, true);
}
