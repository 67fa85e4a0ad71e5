/* `vend files`: uploaded files. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/listing.h"
#include "cli/terminal/save.h"
#include "cli/terminal/table.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/settings.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_LIMIT 20
#define LINK_US (3600 * VEND_US_PER_S)
#define DOWNLOAD_US (60 * VEND_US_PER_S)
#define MAX_ID 64

/* ---- List, show */

static void
print_list (const json_t *page)
{
  static const char *const columns[] = { "ID", "NAME", "TYPE", "SIZE", "EXPIRES", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *file;
  json_array_foreach (json_object_get (page, "results"), i, file)
    {
      g_autofree char *size = g_format_size ((guint64) vend_json_int (file, "size", 0));
      g_autofree char *expires = vend_argument_shown_time (file, "expires_at");
      vend_table_add (table, vend_argument_shown (file, "id"), vend_argument_shown (file, "name"),
                      vend_argument_shown (file, "content_type"), size, expires);
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const VendListing listing = {
    .command = "files list",
    .summary = "Lists uploaded files, newest first.",
    .path = "/v1/files",
    .limit = DEFAULT_LIMIT,
    .is_newest_first = true,
    .print = print_list,
  };
  return vend_listing_run (&listing, argc, argv, error);
}

static const char *
url_of (const json_t *file)
{
  return vend_argument_shown (json_object_get (file, "urls"), "get");
}

/* ---- Upload */

static bool
upload (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *file = NULL;
  const VendOptions options = {
    .command = "files upload",
    .usage = "PATH",
    .summary = "Uploads a file and prints the URL that names it in an input.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_file_check (words[0], error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_upload_file (client, words[0], &file, error))
    return false;
  if (connection.json)
    vend_terminal_json (file);
  else
    vend_terminal_print ("%s\n", url_of (file));
  return true;
}

/* ---- One file */

static bool
file_path (const char *id, char **out, GError **error)
{
  const gsize length = strlen (id);
  if (length == 0 || length > MAX_ID
      || strspn (id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != length)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%.200s' is not the id of a file; see 'vend files list'", id);
  *out = g_strdup_printf ("/v1/files/%s", id);
  return true;
}

static bool
delete_file (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  const VendOptions options = {
    .command = "files delete",
    .usage = "ID",
    .summary = "Deletes a file.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !file_path (words[0], &path, error) || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("deleted");
  return true;
}

/* The URL by which anybody may download the file until then; see the API's `files.download`. */
static bool
sign (VendClient *client, const char *id, int64_t for_us, char **out_url, GError **error)
{
  json_auto_t *account = NULL, *secret = NULL, *file = NULL;
  g_autofree char *path = NULL;
  guint8 mac[VEND_HMAC_SIZE];
  if (!file_path (id, &path, error) || !vend_client_call (client, "GET", path, NULL, &file, error)
      || !vend_client_call (client, "GET", "/v1/account", NULL, &account, error)
      || !vend_client_call (client, "GET", "/v1/files/default/secret", NULL, &secret, error))
    return false;
  const char *owner = vend_argument_shown (account, "username");
  const char *key = vend_argument_shown (secret, "key");
  const int64_t expiry_s = (vend_now_us () + for_us) / VEND_US_PER_S;
  g_autofree char *text = g_strdup_printf ("%s %s %" G_GINT64_FORMAT, owner, id, expiry_s);
  vend_hmac_sha256 (key, strlen (key), "", text, strlen (text), mac);
  g_autofree char *signature = g_base64_encode (mac, sizeof mac);
  g_autofree char *escaped = g_uri_escape_string (signature, NULL, false);
  *out_url = g_strdup_printf ("%s/download?owner=%s&expiry=%" G_GINT64_FORMAT "&signature=%s",
                              url_of (file), owner, expiry_s, escaped);
  return true;
}

static bool
link_to (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *duration = NULL, *url = NULL;
  g_autoptr (VendClient) client = NULL;
  int64_t for_us = LINK_US;
  const GOptionEntry entries[] = {
    { "for", 0, 0, G_OPTION_ARG_STRING, &duration, "lifetime of the link (1h)", "DURATION" },
    { NULL },
  };
  const VendOptions options = {
    .command = "files link",
    .usage = "ID",
    .summary = "Prints a signed URL that downloads the file without a token, for a limited time.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (duration != NULL && !vend_duration_parse (duration, &for_us, error))
    {
      g_prefix_error (error, "--for: ");
      return false;
    }
  if (!vend_client_new (&connection, &client, error)
      || !sign (client, words[0], for_us, &url, error))
    return false;
  if (connection.json)
    {
      json_auto_t *answer = json_pack ("{s:s}", "url", url);
      vend_terminal_json (answer);
    }
  else
    vend_terminal_print ("%s\n", url);
  return true;
}

static bool
download (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *target = NULL, *url = NULL, *saved = NULL, *path = NULL, *own = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *file = NULL;
  gboolean force = FALSE;
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &target,
      "target file or directory (default: the file's own name, here)", "PATH" },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &force, "overwrite an existing file", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "files download",
    .usage = "ID",
    .summary = "Downloads a file.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !file_path (words[0], &path, error) || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "GET", path, NULL, &file, error))
    return false;
  if (target == NULL || vend_save_target_is_dir (target))
    {
      /* Its URL ends in "download". */
      g_autofree char *plain = vend_save_plain_name (vend_argument_shown (file, "name"));
      own = g_build_filename (target != NULL ? target : ".", plain, NULL);
    }
  const VendSave save = { .target = own != NULL ? own : target, .may_overwrite = force };
  if (!vend_save_check (&save, error) || !sign (client, words[0], DOWNLOAD_US, &url, error)
      || !vend_save_url (&save, client, url, 0, 1, &saved, error))
    return false;
  vend_terminal_print ("%s\n", saved);
  return true;
}

int
vend_cmd_files (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--limit N]", list },
    { "upload", "upload PATH", upload },
    { "download", "download ID [-o PATH] [-f]", download },
    { "link", "link ID [--for DURATION]", link_to },
    { "delete", "delete ID", delete_file },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("files", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
