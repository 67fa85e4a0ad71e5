/* `vend secrets`: sets, lists and removes secrets of models and deployments. Main thread only. */
#include "cli/commands.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "model/model.h"
#include "model/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>

typedef struct
{
  VendConnection connection;
  GStrv words;
  gboolean is_deployment;
} Request;

static void
request_clear (Request *request)
{
  vend_connection_clear (&request->connection);
  g_strfreev (request->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

typedef struct
{
  const char *command;
  const char *usage;
  const char *summary;
  const char *details;
  guint least;
  guint most;
} Form;

static bool
read_request (const Form *form, int argc, char **argv, Request *out, GError **error)
{
  const GOptionEntry entries[] = {
    { "deployment", 0, 0, G_OPTION_ARG_NONE, &out->is_deployment,
      "owner/name is a deployment; by default it is a model", NULL },
    { NULL },
  };
  const VendOptions options = { .command = form->command,
                                .usage = form->usage,
                                .summary = form->summary,
                                .details = form->details,
                                .entries = entries,
                                .connection = &out->connection,
                                .least = form->least,
                                .most = form->most };
  return vend_options_parse (&options, argc, argv, &out->words, error);
}

/* "/v1/models/owner/name/secrets", with the name of one when `name` is not NULL. */
static bool
path_of (const Request *request, const char *name, char **out, GError **error)
{
  g_autofree char *model = NULL;
  if (!vend_argument_model_path (request->words[0], &model, error))
    return false;
  *out = g_strconcat (request->is_deployment ? "/v1/deployments/" : "/v1/models/",
                      model + strlen ("/v1/models/"), "/secrets", name != NULL ? "/" : NULL, name,
                      NULL);
  return true;
}

/* ---- Values */

static bool
read_file (const char *path, char **out, gsize *out_size, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_file_read (path, VEND_SECRET_VALUE_MAX + 2, out, out_size, &problem))
    return true;
  return vend_fail (error, VEND_ERROR_INVALID, "'%s': %s", path, problem->message);
}

/* The terminal does not show what is typed. */
static bool
read_input (const char *name, char **out, gsize *out_size, GError **error)
{
  struct termios before;
  const bool is_terminal = tcgetattr (STDIN_FILENO, &before) == 0;
  if (is_terminal)
    {
      struct termios quiet = before;
      quiet.c_lflag &= ~(tcflag_t) ECHO;
      vend_terminal_note ("the value of %s, which is not shown; then Enter and Ctrl-D:", name);
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &quiet);
    }
  g_autoptr (GError) problem = NULL;
  const bool good = vend_fd_read_all (STDIN_FILENO, "standard input", VEND_SECRET_VALUE_MAX + 2,
                                      out, out_size, &problem);
  if (is_terminal)
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
  return good || vend_fail (error, VEND_ERROR_INVALID, "the value: %s", problem->message);
}

/* Editors and `echo` end a text with a newline that is no part of the value. */
static void
chop_newline (char *text, gsize *size)
{
  if (*size > 0 && text[*size - 1] == '\n')
    text[--*size] = '\0';
  if (*size > 0 && text[*size - 1] == '\r')
    text[--*size] = '\0';
}

/* "KEY" or "KEY=@FILE". */
static bool
split (const char *word, char **out_name, const char **out_file, GError **error)
{
  const char *equals = strchr (word, '=');
  g_autofree char *name
      = equals != NULL ? g_strndup (word, (gsize) (equals - word)) : g_strdup (word);
  if (!vend_secret_name_check (name, error))
    return false;
  if (equals != NULL && (equals[1] != '@' || equals[2] == '\0'))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s: a value on the command line is seen by others; give it on the standard "
                      "input, or as %s=@FILE",
                      name, name);
  *out_file = equals != NULL ? equals + 2 : NULL;
  *out_name = g_steal_pointer (&name);
  return true;
}

static void
wipe (char **text)
{
  if (*text != NULL)
    explicit_bzero (*text, strlen (*text));
  g_clear_pointer (text, g_free);
}

static bool
send_value (const Request *request, const char *path, const char *value, json_t **out,
            GError **error)
{
  g_autoptr (VendClient) client = NULL;
  json_auto_t *body = json_object ();
  vend_json_set_string (body, "value", value);
  return vend_client_new (&request->connection, &client, error)
         && vend_client_call (client, "PUT", path, body, out, error);
}

static bool
set (int argc, char **argv, GError **error)
{
  static const Form form
      = { "secrets set",
          "owner/name KEY[=@FILE]",
          "Sets a secret: a variable of the environment of the instances of a model or deployment.",
          "The value is read from the standard input, or from FILE; one newline at its end is no\n"
          "part of it. Instances that run finish their work, and new ones have the new value.",
          2,
          2 };
  g_auto (Request) request = { 0 };
  g_autofree char *name = NULL, *path = NULL;
  const char *file = NULL;
  char *value = NULL;
  gsize size = 0;
  json_auto_t *answer = NULL;
  if (!read_request (&form, argc, argv, &request, error)
      || !split (request.words[1], &name, &file, error) || !path_of (&request, name, &path, error))
    return false;
  bool good = file != NULL ? read_file (file, &value, &size, error)
                           : read_input (name, &value, &size, error);
  if (good)
    {
      chop_newline (value, &size);
      good = vend_secret_value_check (value, size, error)
             && send_value (&request, path, value, &answer, error);
    }
  wipe (&value);
  if (!good)
    return false;
  if (request.connection.json)
    vend_terminal_json (answer);
  else
    vend_terminal_note ("%s of %s is set; instances that start from now on have it", name,
                        request.words[0]);
  return true;
}

/* ---- The others */

static bool
list (int argc, char **argv, GError **error)
{
  static const Form form
      = { "secrets list",
          "owner/name",
          "Lists the names of the secrets of a model or deployment; their values "
          "are never shown.",
          NULL,
          1,
          1 };
  static const char *const columns[] = { "NAME", "SET", NULL };
  g_auto (Request) request = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *answer = NULL;
  if (!read_request (&form, argc, argv, &request, error) || !path_of (&request, NULL, &path, error)
      || !vend_client_new (&request.connection, &client, error)
      || !vend_client_call (client, "GET", path, NULL, &answer, error))
    return false;
  if (request.connection.json)
    {
      vend_terminal_json (answer);
      return true;
    }
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *secret;
  json_array_foreach (json_object_get (answer, "results"), i, secret)
    {
      g_autofree char *time = vend_argument_shown_time (secret, "set_at");
      vend_table_add (table, vend_argument_shown (secret, "name"), time);
    }
  vend_table_print (table);
  return true;
}

static bool
remove_one (int argc, char **argv, GError **error)
{
  static const Form form = {
    "secrets remove", "owner/name KEY", "Removes a secret of a model or deployment.", NULL, 2, 2
  };
  g_auto (Request) request = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  if (!read_request (&form, argc, argv, &request, error)
      || !vend_secret_name_check (request.words[1], error)
      || !path_of (&request, request.words[1], &path, error)
      || !vend_client_new (&request.connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("%s of %s is removed; instances that start from now on lack it",
                      request.words[1], request.words[0]);
  return true;
}

int
vend_cmd_secrets (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list owner/name [--deployment]", list },
    { "set", "set owner/name KEY[=@FILE] [--deployment]", set },
    { "remove", "remove owner/name KEY [--deployment]", remove_one },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  const bool good = vend_subcommand_run ("secrets", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
