/* `vend weights`: lists, fetches, keeps and removes managed weights. Main thread only. */
#include "cli/commands.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/listing.h"
#include "cli/commands/version-id.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include <string.h>

#define LOOK_US (500 * VEND_US_PER_MS)
#define SHORT_ID 12

static const char *
use_of (const json_t *weights)
{
  const bool is_used = vend_json_bool (weights, "in_use", false);
  const bool is_pinned = vend_json_bool (weights, "pinned", false);
  return is_used && is_pinned ? "in use, pinned" : is_used ? "in use" : is_pinned ? "pinned" : "-";
}

static void
print_list (const json_t *list)
{
  static const char *const columns[]
      = { "MODEL", "VERSION", "NAME", "SIZE", "STATE", "USE", "SOURCE", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *weights;
  vend_table_align_right (table, 3);
  json_array_foreach ((json_t *) list, i, weights)
    {
      g_autofree char *version = g_strndup (vend_argument_shown (weights, "version"), SHORT_ID);
      g_autofree char *size = g_format_size_full (
          (guint64) MAX (vend_json_int (weights, "size", 0), 0), G_FORMAT_SIZE_IEC_UNITS);
      vend_table_add (table, vend_argument_shown (weights, "model"), version,
                      vend_argument_shown (weights, "name"), size,
                      vend_argument_shown (weights, "state"), use_of (weights),
                      vend_argument_shown (weights, "source"));
    }
  vend_table_print (table);
}

static void
print_page (const json_t *page)
{
  print_list (json_object_get (page, "results"));
}

static bool
list (int argc, char **argv, GError **error)
{
  const VendListing listing = { .command = "weights list",
                                .summary = "Lists the managed weights of the versions of your "
                                           "models.",
                                .path = "/v1/weights",
                                .print = print_page };
  return vend_listing_run (&listing, argc, argv, error);
}

/* ---- Those of a version */

static bool
find_path (VendClient *client, const char *reference, char **out, GError **error)
{
  const char *colon = strchr (reference, ':');
  g_autofree char *model
      = colon != NULL ? g_strndup (reference, (gsize) (colon - reference)) : g_strdup (reference);
  g_autofree char *model_path = NULL, *id = NULL;
  json_auto_t *found = NULL;
  if (!vend_argument_model_path (model, &model_path, error)
      || (colon != NULL && !vend_argument_version_prefix_check (colon + 1, error)))
    return false;
  if (colon != NULL && !vend_version_id_find (client, model, colon + 1, &id, error))
    return false;
  if (colon == NULL && !vend_client_call (client, "GET", model_path, NULL, &found, error))
    return false;
  const char *latest = vend_json_string (json_object_get (found, "latest_version"), "id");
  if (id == NULL && latest == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "%s has no version yet; 'vend push' makes one",
                      model);
  *out = g_strdup_printf ("%s/versions/%s/weights", model_path, id != NULL ? id : latest);
  return true;
}

static const json_t *
first_with (const json_t *answer, const char *state)
{
  size_t i;
  json_t *weights;
  json_array_foreach (json_object_get (answer, "weights"), i, weights)
    if (g_strcmp0 (vend_json_string (weights, "state"), state) == 0)
      return weights;
  return NULL;
}

/* Looks until nothing is fetched any more. */
static bool
wait_fetched (VendClient *client, const char *path, json_t **answer, GError **error)
{
  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  while (first_with (*answer, "fetching") != NULL)
    {
      if (vend_interrupt_wait (interrupt, LOOK_US))
        return vend_fail (error, VEND_ERROR_CANCELED,
                          "interrupted; the server goes on fetching the weights");
      g_clear_pointer (answer, json_decref);
      if (!vend_client_call (client, "GET", path, NULL, answer, error))
        return false;
    }
  const json_t *absent = first_with (*answer, "absent");
  if (absent == NULL)
    return true;
  const char *why = vend_json_string (absent, "error");
  return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s",
                    why != NULL ? why : "the weights were removed again");
}

typedef struct
{
  const char *command;
  const char *method;
  const char *suffix; /* of the path */
  const char *summary;
} Action;

static const Action pull_action
    = { "weights pull", "POST", "/pull",
        "Fetches the managed weights of a version that are not on disk." };
static const Action pin_action
    = { "weights pin", "POST", "/pin", "Keeps the managed weights of a version on disk." };
static const Action unpin_action
    = { "weights unpin", "POST", "/unpin",
        "Lets the managed weights of a version go again when room is needed." };
static const Action remove_action
    = { "weights remove", "DELETE", "",
        "Removes managed weights from disk; the next start fetches them again." };

static bool
act (const Action *action, int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autofree char *path = NULL;
  json_auto_t *answer = NULL;
  const VendOptions options = {
    .command = action->command,
    .usage = "owner/name[:ID]",
    .summary = action->summary,
    .details = "ID is the id of a version or its beginning, at least 8 characters; without one it "
               "is the latest version.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !find_path (client, words[0], &path, error))
    return false;
  g_autofree char *action_path = g_strconcat (path, action->suffix, NULL);
  if (!vend_client_call (client, action->method, action_path, NULL, &answer, error))
    return false;
  if (json_array_size (json_object_get (answer, "weights")) == 0)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "%s has no managed weights", words[0]);
  if (action == &pull_action && !wait_fetched (client, path, &answer, error))
    return false;
  if (connection.json)
    vend_terminal_json (answer);
  else
    print_list (json_object_get (answer, "weights"));
  return true;
}

static bool
pull (int argc, char **argv, GError **error)
{
  return act (&pull_action, argc, argv, error);
}

static bool
pin (int argc, char **argv, GError **error)
{
  return act (&pin_action, argc, argv, error);
}

static bool
unpin (int argc, char **argv, GError **error)
{
  return act (&unpin_action, argc, argv, error);
}

static bool
remove_files (int argc, char **argv, GError **error)
{
  return act (&remove_action, argc, argv, error);
}

int
vend_cmd_weights (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--limit N]", list },
    { "pull", "pull owner/name[:ID]", pull },
    { "pin", "pin owner/name[:ID]", pin },
    { "unpin", "unpin owner/name[:ID]", unpin },
    { "remove", "remove owner/name[:ID]", remove_files },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  const bool good = vend_subcommand_run ("weights", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
