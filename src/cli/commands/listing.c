/* The `list` subcommands. */
#include "cli/commands/listing.h"
#include "base/error.h"
#include "cli/client/client.h"
#include "cli/arguments/options.h"
#include "cli/terminal/terminal.h"

bool
vend_listing_run (const VendListing *listing, int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *page = NULL;
  gboolean flag = FALSE;
  int limit = listing->limit;
  const GOptionEntry entries[] = {
    { "limit", 'n', 0, G_OPTION_ARG_INT, &limit,
      listing->is_newest_first ? "most rows listed, newest first; 0 = all"
                               : "most rows listed; 0 = all",
      "N" },
    { listing->flag, 0, 0, G_OPTION_ARG_NONE, &flag, listing->flag_help, NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = listing->command,
    .usage = "",
    .summary = listing->summary,
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (limit < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--limit: expected 0 or more, got %d", limit);
  if (!vend_client_new (&connection, &client, error)
      || !vend_client_list (client, flag ? listing->flag_path : listing->path, (guint) limit, &page,
                            error))
    return false;
  if (connection.json)
    vend_terminal_json (page);
  else
    listing->print (page);
  return true;
}
