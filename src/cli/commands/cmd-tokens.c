/* `vend tokens`: list, create, revoke. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/local-token.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "model/account.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_SCOPES "read,run"
/* A user who may write the database has all scopes anyway. */
#define DEFAULT_LOCAL_SCOPES "read,run,push,admin"

static char *
scopes_text (const json_t *scopes)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *scope;
  json_array_foreach (scopes, i, scope)
    if (json_is_string (scope))
      g_string_append_printf (text, "%s%s", text->len > 0 ? "," : "", json_string_value (scope));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const char *const columns[]
      = { "ID", "NAME", "PREFIX", "SCOPES", "CREATED", "LAST USED", "STATE", NULL };
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autoptr (VendTable) table = vend_table_new (columns);
  g_autofree char *account = NULL;
  json_auto_t *page = NULL;
  size_t i;
  json_t *item;
  const GOptionEntry entries[] = {
    { "account", 0, 0, G_OPTION_ARG_STRING, &account,
      "list the tokens of another account; needs an admin token", "NAME" },
    { NULL },
  };
  const VendOptions options = {
    .command = "tokens list",
    .usage = "",
    .summary = "Lists the tokens of your account.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || (account != NULL && !vend_name_check ("--account", account, error)))
    return false;
  g_autoptr (GString) path = g_string_new ("/v1/tokens");
  if (account != NULL)
    vend_argument_add_query (path, "account", account);
  if (!vend_client_new (&connection, &client, error)
      || !vend_client_list (client, path->str, 0, &page, error))
    return false;
  if (connection.json)
    {
      vend_terminal_json (page);
      return true;
    }
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autofree char *scopes = scopes_text (json_object_get (item, "scopes"));
      g_autofree char *created = vend_argument_shown_time (item, "created_at");
      g_autofree char *used = vend_argument_shown_time (item, "last_used_at");
      vend_table_add (table, vend_argument_shown (item, "id"), vend_argument_shown (item, "name"),
                      vend_argument_shown (item, "prefix"), scopes, created, used,
                      vend_json_string (item, "revoked_at") != NULL ? "revoked" : "valid");
    }
  vend_table_print (table);
  return true;
}

static bool
parse_scopes (const char *text, json_t **out, guint *out_bits, GError **error)
{
  g_auto (GStrv) names = g_strsplit (text, ",", -1);
  json_auto_t *scopes = json_array ();
  for (guint i = 0; names[i] != NULL; i++)
    {
      const char *name = g_strstrip (names[i]);
      json_array_append_new (scopes, vend_json_string_new (name, strlen (name)));
    }
  if (!vend_scopes_parse (scopes, out_bits, error))
    {
      g_prefix_error (error, "--scopes %s: ", text);
      return false;
    }
  *out = g_steal_pointer (&scopes);
  return true;
}

static bool
create_by_server (const VendConnection *connection, const char *name, const char *account,
                  const json_t *scopes, json_t **out, GError **error)
{
  g_autoptr (VendClient) client = NULL;
  json_auto_t *body = json_pack ("{s:O}", "scopes", scopes);
  vend_json_set_string (body, "name", name);
  if (account != NULL)
    vend_json_set_string (body, "account", account);
  return vend_client_new (connection, &client, error)
         && vend_client_call (client, "POST", "/v1/tokens", body, out, error);
}

static bool
create (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *scopes_flag = NULL, *account = NULL, *data_dir = NULL;
  gboolean is_local = FALSE;
  guint bits = 0;
  json_auto_t *scopes = NULL;
  json_auto_t *token = NULL;
  const GOptionEntry entries[] = {
    { "scopes", 0, 0, G_OPTION_ARG_STRING, &scopes_flag,
      "scopes, comma-separated: read, run, push, admin; default " DEFAULT_SCOPES
      ", all with --local",
      "LIST" },
    { "account", 0, 0, G_OPTION_ARG_STRING, &account, "create a token of another account", "NAME" },
    { "local", 0, 0, G_OPTION_ARG_NONE, &is_local,
      "write the token into the database of this machine; needs no token and no server", NULL },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &data_dir, "with --local: data directory", "DIR" },
    { NULL },
  };
  const VendOptions options = {
    .command = "tokens create",
    .usage = "NAME",
    .summary
    = "Creates a token and prints it once. Needs a token with the scope admin, or --local.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (data_dir != NULL && !is_local)
    return vend_fail (error, VEND_ERROR_INVALID, "--data needs --local");
  const char *asked = scopes_flag != NULL ? scopes_flag
                      : is_local          ? DEFAULT_LOCAL_SCOPES
                                          : DEFAULT_SCOPES;
  if (!parse_scopes (asked, &scopes, &bits, error)
      || (account != NULL && !vend_name_check ("--account", account, error)))
    return false;
  const VendLocalToken request
      = { .name = words[0], .account = account, .data_dir = data_dir, .scopes = bits };
  if (!(is_local ? vend_local_token_create (&request, &token, error)
                 : create_by_server (&connection, words[0], account, scopes, &token, error)))
    return false;
  if (connection.json)
    {
      vend_terminal_json (token);
      return true;
    }
  vend_terminal_note ("token '%s', id %s; it is not shown again:", words[0],
                      vend_argument_shown (token, "id"));
  vend_terminal_print ("%s\n", vend_argument_shown (token, "token"));
  return true;
}

static bool
revoke_token (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  const VendOptions options = {
    .command = "tokens revoke",
    .usage = "ID",
    .summary = "Revokes a token at once.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_id_check ("token", words[0], error))
    return false;
  g_autofree char *path = g_strdup_printf ("/v1/tokens/%s", words[0]);
  if (!vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("revoked");
  return true;
}

int
vend_cmd_tokens (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--account NAME]", list },
    { "create", "create NAME [--scopes read,run] [--account NAME] [--local]", create },
    { "revoke", "revoke ID", revoke_token },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("tokens", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
