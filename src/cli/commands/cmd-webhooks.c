/* `vend webhooks`: deliveries, replay, the signing key. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/commands/listing.h"
#include "cli/terminal/table.h"
#include "cli/commands/webhooks-private.h"
#include "base/count.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_LIMIT 20
#define ID_PREFIX "msg_"
#define MAX_ID 64

static void
print_list (const json_t *page)
{
  static const char *const columns[]
      = { "ID", "PREDICTION", "EVENT", "STATE", "TRIES", "CREATED", "LAST ERROR", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autofree char *tries
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (item, "tries", 0));
      g_autofree char *created = vend_argument_shown_time (item, "created_at");
      vend_table_add (table, vend_argument_shown (item, "id"),
                      vend_argument_shown (item, "prediction"), vend_argument_shown (item, "event"),
                      vend_argument_shown (item, "state"), tries, created,
                      vend_argument_shown (item, "last_error"));
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const VendListing listing = {
    .command = "webhooks list",
    .summary = "Lists webhook deliveries of your account, newest first.",
    .path = "/v1/webhooks/deliveries",
    .limit = DEFAULT_LIMIT,
    .is_newest_first = true,
    .print = print_list,
    .flag = "dead",
    .flag_help = "only dead deliveries, for which no more tries are made",
    .flag_path = "/v1/webhooks/deliveries?state=dead",
  };
  return vend_listing_run (&listing, argc, argv, error);
}

/* ---- Replay */

static bool
check_id (const char *text, GError **error)
{
  gsize length = strlen (text);
  bool good = g_str_has_prefix (text, ID_PREFIX) && length <= MAX_ID
              && strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
  return good
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%.200s' is not the id of a delivery; expected msg_…, see 'vend webhooks "
                       "list --dead'",
                       text);
}

static bool
replay_one (VendClient *client, const char *id, json_t *results, GError **error)
{
  json_auto_t *delivery = NULL;
  g_autofree char *path = g_strdup_printf ("/v1/webhooks/deliveries/%s/replay", id);
  if (!vend_client_call (client, "POST", path, NULL, &delivery, error))
    return false;
  if (delivery != NULL)
    json_array_append (results, delivery);
  return true;
}

static bool
replay_dead (VendClient *client, json_t *results, GError **error)
{
  json_auto_t *page = NULL;
  size_t i;
  json_t *item;
  if (!vend_client_list (client, "/v1/webhooks/deliveries?state=dead", 0, &page, error))
    return false;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autoptr (GError) problem = NULL;
      if (replay_one (client, vend_argument_shown (item, "id"), results, &problem)
          /* Somebody else was faster. */
          || g_error_matches (problem, VEND_ERROR, VEND_ERROR_CONFLICT)
          || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        continue;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return true;
}

static bool
replay (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *results = json_array ();
  gboolean all_dead = FALSE;
  const GOptionEntry entries[] = {
    { "all-dead", 0, 0, G_OPTION_ARG_NONE, &all_dead, "all dead deliveries", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "webhooks replay",
    .usage = "ID|--all-dead",
    .summary = "Sends dead deliveries again, with the same id and body.",
    .entries = entries,
    .connection = &connection,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if ((words[0] != NULL) == (bool) all_dead)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected either ID or --all-dead; see 'vend "
                      "webhooks replay --help'");
  if ((words[0] != NULL && !check_id (words[0], error))
      || !vend_client_new (&connection, &client, error))
    return false;
  if (all_dead ? !replay_dead (client, results, error)
               : !replay_one (client, words[0], results, error))
    return false;
  if (connection.json)
    vend_terminal_json (results);
  else
    {
      g_autofree char *count
          = vend_count_text (json_array_size (results), "delivery", "deliveries");
      vend_terminal_note ("%s queued again", count);
    }
  return true;
}

/* ---- The signing key */

bool
vend_webhooks_fetch_key (VendClient *client, char **out, GError **error)
{
  json_auto_t *secret = NULL;
  if (!vend_client_call (client, "GET", "/v1/webhooks/default/secret", NULL, &secret, error))
    return false;
  if (vend_json_string (secret, "key") == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the server gave no signing key");
  *out = g_strdup (vend_json_string (secret, "key"));
  return true;
}

static bool
secret (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *answer = NULL;
  gboolean rotate = FALSE;
  const GOptionEntry entries[] = {
    { "rotate", 0, 0, G_OPTION_ARG_NONE, &rotate,
      "create a new key; the old key also signs for 24 hours", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "webhooks secret",
    .usage = "",
    .summary = "Prints the key that signs your account's webhooks.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, rotate ? "POST" : "GET",
                            rotate ? "/v1/webhooks/default/secret/rotate"
                                   : "/v1/webhooks/default/secret",
                            NULL, &answer, error))
    return false;
  if (connection.json)
    {
      vend_terminal_json (answer);
      return true;
    }
  if (rotate)
    {
      g_autofree char *until = vend_argument_shown_time (answer, "previous_expires_at");
      vend_terminal_note ("the old key also signs until %s UTC", until);
    }
  vend_terminal_print ("%s\n", vend_argument_shown (answer, "key"));
  return true;
}

int
vend_cmd_webhooks (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--dead] [--limit N]", list },
    { "replay", "replay ID|--all-dead", replay },
    { "secret", "secret [--rotate]", secret },
    { "listen", "listen [--port N]", vend_webhooks_listen },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("webhooks", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
