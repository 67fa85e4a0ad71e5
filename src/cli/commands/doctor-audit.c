/* `vend doctor --audit`: audits until the findings are stable, then prints them. */
#include "cli/commands/doctor-audit.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/client/client.h"
#include "cli/commands/file-place.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "runner/runner-process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Changes in progress may look wrong: only findings of every look are reported. */
#define MAX_LOOKS 6
#define LOOK_PAUSE_US (500 * VEND_US_PER_MS)
/* Of one check, for people; --json has them all. */
#define MAX_SHOWN 20

/* A server holds the lock for life. */
static bool
find_server (const char *data_dir, bool *out_runs, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "lock", NULL);
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  *out_runs = false;
  if (fd < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (fd < 0 || flock (fd, LOCK_SH | LOCK_NB) == 0)
    return true;
  *out_runs = errno == EWOULDBLOCK;
  return *out_runs || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", path);
}

static bool
is_same_folder (const char *one, const char *other)
{
  struct stat a, b;
  return one != NULL && stat (one, &a) == 0 && stat (other, &b) == 0 && a.st_dev == b.st_dev
         && a.st_ino == b.st_ino;
}

static bool
ask_server (VendClient *client, const char *data_dir, json_t **out, GError **error)
{
  json_auto_t *live = NULL;
  if (!vend_client_call (client, "GET", "/-/debug?all=true", NULL, &live, error))
    {
      g_prefix_error (error, "cannot ask the server that runs on '%s': ", data_dir);
      return false;
    }
  const char *theirs = vend_json_string (live, "data");
  if (!is_same_folder (theirs, data_dir))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the server at %s serves '%s', not '%s'; name the right server with --url",
                      vend_client_get_config (client)->url, theirs != NULL ? theirs : "nothing",
                      data_dir);
  *out = json_incref (live);
  return true;
}

typedef struct
{
  VendClient *client; /* NULL: no server runs */
  char *data_dir;
  VendDepot *depot; /* where its files are; NULL: there */
  char *store;
  bool deep;
} Audit;

static bool
look (const Audit *audit, GPtrArray **out, GError **error)
{
  json_auto_t *live = NULL;
  if (audit->client != NULL && !ask_server (audit->client, audit->data_dir, &live, error))
    return false;
  g_autofree char *instances = g_build_filename (audit->data_dir, VEND_INSTANCES_FOLDER, NULL);
  g_autoptr (VendRunner) runner = vend_runner_process_new (instances, NULL);
  return vend_audit_run (&(VendAuditOptions){ .data_dir = audit->data_dir,
                                              .store = audit->store,
                                              .runner = runner,
                                              .depot = audit->depot,
                                              .live = live,
                                              .deep = audit->deep },
                         out, error);
}

static bool
audit_until_sure (const Audit *audit, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) checks = NULL;
  if (!look (audit, &checks, error))
    return false;
  for (guint i = 1; i < MAX_LOOKS && audit->client != NULL && vend_audit_count (checks) > 0; i++)
    {
      g_autoptr (GPtrArray) again = NULL;
      g_usleep ((gulong) LOOK_PAUSE_US);
      if (!look (audit, &again, error))
        return false;
      vend_audit_confirm (again, checks);
      g_ptr_array_unref (checks);
      checks = g_steal_pointer (&again);
    }
  *out = g_steal_pointer (&checks);
  return true;
}

/* ---- Output */

static json_t *
rows_json (const GPtrArray *rows)
{
  json_t *list = json_array ();
  for (guint i = 0; i < rows->len; i++)
    {
      const VendAuditRow *row = g_ptr_array_index (rows, i);
      json_array_append_new (
          list, json_pack ("{s:s, s:s}", "subject", row->subject, "detail", row->detail));
    }
  return list;
}

static const char *
status_of (const VendAuditCheck *check)
{
  return check->rows->len > 0 ? "found" : check->skipped != NULL ? "skipped" : "ok";
}

static void
print_json (const Audit *audit, const GPtrArray *checks)
{
  json_t *list = json_array ();
  for (guint i = 0; i < checks->len; i++)
    {
      const VendAuditCheck *check = g_ptr_array_index (checks, i);
      json_array_append_new (
          list, json_pack ("{s:s, s:s, s:s, s:s*, s:i, s:o}", "check", check->name, "rule",
                           check->rule, "status", status_of (check), "reason", check->skipped,
                           "found", (int) check->rows->len, "rows", rows_json (check->rows)));
    }
  json_auto_t *body = json_pack ("{s:b, s:s, s:s, s:o}", "ok", vend_audit_count (checks) == 0,
                                 "data", audit->data_dir, "server",
                                 audit->client != NULL ? "running" : "stopped", "checks", list);
  vend_terminal_json (body);
}

static void
print_rows (const VendAuditCheck *check)
{
  if (check->rows->len == 0)
    return;
  vend_terminal_print ("\n%s: %s\n", check->name, check->rule);
  for (guint i = 0; i < MIN (check->rows->len, MAX_SHOWN); i++)
    {
      const VendAuditRow *row = g_ptr_array_index (check->rows, i);
      g_autofree char *subject = vend_terminal_one_line (row->subject);
      g_autofree char *detail = vend_terminal_one_line (row->detail);
      vend_terminal_print ("  %s: %s\n", subject, detail);
    }
  if (check->rows->len > MAX_SHOWN)
    vend_terminal_print ("  … and %u more; --json shows them\n", check->rows->len - MAX_SHOWN);
}

static void
print_table (const GPtrArray *checks)
{
  static const char *const columns[] = { "CHECK", "RESULT", "RULE", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  for (guint i = 0; i < checks->len; i++)
    {
      const VendAuditCheck *check = g_ptr_array_index (checks, i);
      const char *limit = check->rows->len >= VEND_AUDIT_MAX_ROWS ? "+" : "";
      g_autofree char *found = g_strdup_printf ("%u%s found", check->rows->len, limit);
      vend_table_add (table, check->name, check->rows->len > 0 ? found : status_of (check),
                      check->skipped != NULL ? check->skipped : check->rule);
    }
  vend_table_print (table);
  for (guint i = 0; i < checks->len; i++)
    print_rows (g_ptr_array_index (checks, i));
}

bool
vend_doctor_look (const VendStoppedData *stopped, GPtrArray **out, GError **error)
{
  const Audit audit = { NULL, (char *) stopped->data_dir, stopped->depot, (char *) stopped->store,
                        stopped->deep };
  return look (&audit, out, error);
}

bool
vend_doctor_audit (const VendConnection *connection, const char *data_dir, bool deep,
                   GError **error)
{
  g_autofree char *standard = vend_data_dir ();
  g_autofree char *dir = g_canonicalize_filename (data_dir != NULL ? data_dir : standard, NULL);
  g_autoptr (VendClient) client = NULL;
  g_autoptr (GPtrArray) checks = NULL;
  g_autoptr (VendDepot) depot = NULL;
  bool runs = false;
  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "data directory '%s' does not exist; name another one with --data", dir);
  g_autofree char *store = NULL;
  if (!vend_data_dir_store (dir, &store, error) || !find_server (dir, &runs, error)
      || (runs && !vend_client_new (connection, &client, error)))
    return false;
  if (!vend_file_depot_find (dir, &depot, error))
    return false;
  const Audit audit = { client, dir, depot, store, deep };
  if (!audit_until_sure (&audit, &checks, error))
    return false;
  if (connection->json)
    print_json (&audit, checks);
  else
    print_table (checks);
  return vend_audit_count (checks) == 0;
}
