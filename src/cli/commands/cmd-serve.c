/* vend serve: the control plane. Puts the parts together, runs the core loop, takes them apart. */
#include "api/api.h"
#include "api/later.h"
#include "auth/bootstrap.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process-start.h"
#include "base/service.h"
#include "base/settings.h"
#include "base/turns.h"
#include "build/builds.h"
#include "cgroup/bases.h"
#include "cli/commands.h"
#include "cli/commands/file-place.h"
#include "cli/commands/hardware-settings.h"
#include "cli/commands/serve-data.h"
#include "cli/commands/serve-holder.h"
#include "cli/commands/serve-standby.h"
#include "cli/arguments/serve-options.h"
#include "cli/terminal/terminal.h"
#include "events/webhooks.h"
#include "events/key.h"
#include "files/sweep.h"
#include "mcp/mcp.h"
#include "httpd/httpd.h"
#include "httpd/listen.h"
#include "httpd/tls-auto.h"
#include "machines/machines.h"
#include "meter/meter.h"
#include "hardware/gpu-watch.h"
#include "hardware/machine.h"
#include "registry/registry.h"
#include "runner/runner-process.h"
#include "sched/sched.h"
#include "store/files.h"
#include "secrets/vault.h"
#include "store/postgres.h"
#include "web/web.h"
#include "weights/shelf.h"
#include "workspace/probe.h"
#include <curl/curl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MAX_PEM (1024 * 1024)
#define IDLE_TIMEOUT_S 120
#define BEAT_MS 500
#define MAX_SPOOLED_READERS 8
#define LOCK_PATIENCE_US (1 * VEND_US_PER_S)
/* A killed process of many threads and much memory takes its time. */
#define KILL_PATIENCE_US (10 * VEND_US_PER_S)
/* Of a manager of services, while a standby that was ready becomes a server. */
#define SET_UP_PATIENCE_US (3600 * VEND_US_PER_S)
#define LOCK_POLL_US (20 * VEND_US_PER_MS)
/* For replies to those whose hold a stop cuts short. */
#define RELEASE_TIME_US (3 * VEND_US_PER_S)

/* How long a stalled reader of the log may delay the end of the process. */
#define LOG_PATIENCE_US (1 * VEND_US_PER_S)
/* Descriptors that connections leave to the database, files, directors and requests to others: a
 * quarter of all, within these bounds. */
#define LEAST_OTHER_DESCRIPTORS 112
#define MOST_OTHER_DESCRIPTORS 4096
#define LEAST_CONNECTIONS 16

typedef struct
{
  VendSettings *settings;
  guint max_connections;
  VendBootstrapRequest bootstrap;
  VendService service;
  char *data_dir;
  char *binary;
  int lock_fd;
  bool is_marked;    /* as running */
  bool is_complete;  /* all parts are there */
  char *holder_mark; /* of this process */
  VendDb *taken;     /* by a standby, until the store has it */
  char *former;      /* mark of the server that it was taken from, or NULL */
  int argc;
  char **argv;
  VendStore *store;
  VendFileKeys file_keys;
  VendBlobs *blobs;
  VendRunner *runner;
  VendMachines *machines; /* NULL: instances run on this one alone */
  VendShelf *shelf;
  VendImages *images;
  VendVault *vault;
  VendRegistry *registry;
  char *hub_endpoint;
  char *hub_token;
  VendAuth *auth;
  VendBuilds *builds;
  VendWebhooks *webhooks;
  VendMeter *meter;
  VendGpuWatch *gpu_watch;
  VendSkus *skus;
  VendPrices *prices;
  VendCgroups *cgroups;
  VendIsolationFound *isolation;
  VendIsolationFound *image_isolation; /* of images, which run in nothing weaker */
  bool isolation_required;
  VendNetworkKind network;
  VendNetworkKind max_network;
  VendSched *sched;
  VendSweep *sweep;
  VendApi *api;
  VendWeb *web;
  VendHttpd *httpd;
  GMainLoop *loop;
  guint term_source;
  guint int_source;
  guint hup_source;
  guint beat_source;
  guint watchdog_source;
  guint drain_source;
  int64_t drain_until_us;
  bool draining;
  bool released; /* held requests were told how things stand */
} App;

/* What no store took. */
static void
give_back (App *app)
{
  g_autoptr (GError) ignored = NULL;
  if (app->taken != NULL && !vend_db_release (app->taken, &ignored))
    g_clear_error (&ignored);
  g_clear_pointer (&app->taken, vend_db_close);
}

static void
app_clear (App *app)
{
  if (app->drain_source != 0)
    g_source_remove (app->drain_source);
  if (app->beat_source != 0)
    g_source_remove (app->beat_source);
  if (app->watchdog_source != 0)
    g_source_remove (app->watchdog_source);
  if (app->hup_source != 0)
    g_source_remove (app->hup_source);
  vend_sweep_free (app->sweep);
  vend_builds_free (app->builds);
  vend_httpd_free (app->httpd);
  vend_web_free (app->web);
  vend_gpu_watch_free (app->gpu_watch);
  vend_sched_free (app->sched);
  vend_cgroups_free (app->cgroups);
  vend_isolation_found_free (app->isolation);
  vend_isolation_found_free (app->image_isolation);
  vend_webhooks_stop (app->webhooks);
  vend_shelf_free (app->shelf);
  vend_images_free (app->images);
  vend_machines_stop (app->machines);
  vend_store_free (app->store);
  vend_runner_free (app->runner);
  vend_machines_free (app->machines);
  vend_webhooks_free (app->webhooks);
  vend_api_free (app->api);
  vend_skus_free (app->skus);
  vend_prices_free (app->prices);
  vend_meter_free (app->meter);
  vend_auth_free (app->auth);
  vend_registry_free (app->registry);
  vend_blobs_free (app->blobs);
  vend_vault_free (app->vault);
  vend_file_keys_clear (&app->file_keys);
  g_free (app->hub_endpoint);
  g_free (app->hub_token);
  vend_settings_free (app->settings);
  if (app->is_marked)
    vend_serve_data_leave (app->data_dir);
  vend_bootstrap_request_clear (&app->bootstrap);
  vend_service_clear (&app->service);
  g_clear_pointer (&app->loop, g_main_loop_unref);
  give_back (app);
  vend_fd_clear (&app->lock_fd);
  g_free (app->holder_mark);
  g_free (app->former);
  g_free (app->data_dir);
  g_free (app->binary);
  vend_log_stop_writer (LOG_PATIENCE_US);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (App, app_clear)

/* ---- Stopping */

/* Pending writes belong to parts that are freed after this. */
static bool
is_quiet (const App *app)
{
  return vend_httpd_active_calls (app->httpd) == 0 && vend_store_is_idle (app->store);
}

/* A request that came since the last check would wait for this thread for ever. */
static bool
is_quiet_for_good (const App *app)
{
  if (!is_quiet (app))
    return false;
  vend_httpd_refuse (app->httpd);
  return is_quiet (app);
}

static gboolean
check_drained (void *data)
{
  App *app = data;
  bool late = g_get_monotonic_time () >= app->drain_until_us;
  if (late && app->released)
    vend_sched_kill_unresponsive (app->sched);
  bool done
      = vend_sched_is_drained (app->sched) || (late && !vend_sched_has_unresponsive (app->sched));
  /* Until then clients follow and cancel what runs. */
  if (done || late)
    vend_httpd_stop_accepting (app->httpd);
  if (done && is_quiet_for_good (app))
    {
      app->drain_source = 0;
      g_main_loop_quit (app->loop);
      return G_SOURCE_REMOVE;
    }
  if (!late)
    return G_SOURCE_CONTINUE;
  if (!app->released)
    {
      vend_log (VEND_LOG_WARN,
                "stopping with work in flight; directors finish their runs, and the next start "
                "takes over",
                NULL);
      app->released = true;
      app->drain_until_us += RELEASE_TIME_US;
      vend_sched_release_waiters (app->sched);
      return G_SOURCE_CONTINUE;
    }
  /* A client reads its reply too slowly, or the disk hardly moves: no write that is not on disk was
   * acknowledged. */
  vend_log (VEND_LOG_WARN, "stopping with unsent replies or unfinished writes", NULL);
  vend_log_stop_writer (LOG_PATIENCE_US);
  _exit (0);
}

static gboolean
on_signal (void *data)
{
  App *app = data;
  if (!app->is_complete)
    {
      app->draining = true;
      return G_SOURCE_CONTINUE;
    }
  if (app->draining)
    {
      /* Committed writes are safe, and no other write was acknowledged. */
      vend_log (VEND_LOG_WARN, "stopping now", NULL);
      vend_log_stop_writer (LOG_PATIENCE_US);
      _exit (1);
    }
  vend_log (VEND_LOG_INFO, "stopping: no new predictions; a second signal stops now", NULL);
  app->draining = true;
  vend_service_tell (&app->service, "STOPPING=1\nSTATUS=ending the runs under way");
  app->drain_until_us = g_get_monotonic_time () + vend_settings_us (app->settings, "drain-timeout");
  vend_api_set_ready (app->api, false);
  vend_builds_close (app->builds);
  vend_sched_drain (app->sched);
  app->drain_source = g_timeout_add (50, check_drained, app);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hangup (void *data)
{
  App *app = data;
  vend_serve_reload (app->argc, app->argv, app->settings);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_beat (void *data)
{
  App *app = data;
  vend_api_beat (app->api);
  if (vend_store_is_taken (app->store))
    {
      vend_log (VEND_LOG_ERROR, "another server has taken over the database; stopping now", NULL);
      vend_log_stop_writer (LOG_PATIENCE_US);
      _exit (1);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_watchdog (void *data)
{
  const App *app = data;
  vend_service_tell (&app->service, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

static void
tell_watchdog (const App *app, int64_t patience_us)
{
  g_autofree char *news
      = g_strdup_printf ("WATCHDOG=1\nWATCHDOG_USEC=%" G_GINT64_FORMAT, patience_us);
  if (app->service.watchdog_us > 0)
    vend_service_tell (&app->service, news);
}

static void
watch (App *app)
{
  if (app->service.watchdog_us > 0 && app->watchdog_source == 0)
    app->watchdog_source = g_timeout_add (
        (guint) MAX (app->service.watchdog_us / (2 * VEND_US_PER_MS), 1), on_watchdog, app);
}

/* ---- Starting */

/* The database of the server that had it is another one's now, and so is its directory: what it
 * does there when it comes to its senses would be wrong. */
static bool
end_former (const App *app)
{
  const bool is_killed = app->former != NULL && vend_holder_kill (app->former);
  if (is_killed)
    vend_log (VEND_LOG_WARN, "killed the server that had the database and the data directory",
              "process", app->former, NULL);
  return is_killed;
}

/* When a server was killed, a child of it that had not become another program yet has the lock for
 * a moment; and so has a server that gave its database back and is about to end. */
static bool
lock_data (App *app, const char *path, GError **error)
{
  int64_t until_us = g_get_monotonic_time () + LOCK_PATIENCE_US;
  bool may_kill = app->former != NULL;
  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      if (vend_lock_file (path, &app->lock_fd, &problem))
        return true;
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY)
          || (g_get_monotonic_time () > until_us && !may_kill))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      if (may_kill && g_get_monotonic_time () > until_us)
        {
          may_kill = false;
          if (end_former (app))
            until_us = g_get_monotonic_time () + KILL_PATIENCE_US;
        }
      g_usleep (LOCK_POLL_US);
    }
}

static bool
make_data_dir (App *app, GError **error)
{
  const char *setting = vend_settings_text (app->settings, "data");
  g_autofree char *given = *setting != '\0'
                               ? g_strdup (setting)
                               : g_build_filename (g_get_user_data_dir (), "vend", NULL);
  app->data_dir = g_canonicalize_filename (given, NULL);
  g_autofree char *home = g_build_filename (app->data_dir, "home", NULL);
  return vend_dir_ensure (app->data_dir, error) && vend_dir_ensure (home, error);
}

static bool
open_data (App *app, GError **error)
{
  g_autofree char *lock = g_build_filename (app->data_dir, "lock", NULL);
  if (lock_data (app, lock, error))
    {
      vend_serve_data_close_to_others (app->data_dir);
      return true;
    }
  if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_BUSY))
    {
      g_clear_error (error);
      vend_fail (error, VEND_ERROR_BUSY,
                 "another server uses the data directory '%s'; stop that server, or name another "
                 "directory with --data",
                 app->data_dir);
    }
  return false;
}

static VendLease
lease_of (const App *app)
{
  return (VendLease){ .length_us = vend_settings_us (app->settings, "store-lease"),
                      .holder = app->holder_mark,
                      .is_gone = vend_holder_is_gone };
}

/* A socket of the manager of services goes before the setting. */
static bool
take_listener (App *app, GError **error)
{
  g_autofree char *address = NULL;
  if (app->service.listener < 0)
    return true;
  return vend_service_address (&app->service, &address, error)
         && vend_settings_set (app->settings, "listen", address, "socket", error);
}

/* Before the data directory is locked, which the server that has the database may have. */
static bool
stand_by (App *app, GError **error)
{
  const char *url = vend_settings_url (app->settings, "store");
  if (!vend_settings_bool (app->settings, "standby"))
    return true;
  if (!vend_postgres_is_url (url))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "standby: needs a database on a server; set store to postgres://…, or leave "
                      "standby out");
  const VendLease lease = lease_of (app);
  const VendStandby standby = { .url = url,
                                .lease = &lease,
                                .service = &app->service,
                                .listen = vend_settings_text (app->settings, "listen"),
                                .max_connections = MAX (app->max_connections / 2, 1),
                                .stops = &app->draining };
  /* A wrong directory is told now, not when it is needed. */
  if (!vend_serve_data_check (app->data_dir, url, error))
    return false;
  watch (app);
  if (!vend_standby_take (&standby, &app->taken, &app->former, error))
    return false;
  /* Nothing turns the main loop until all parts are there, and tables may be changed first. */
  tell_watchdog (app, SET_UP_PATIENCE_US);
  return take_listener (app, error);
}

static bool
announce (App *app, GError **error)
{
  const char *advertised = vend_settings_text (app->settings, "advertise");
  g_autofree char *host = NULL, *port = NULL;
  if (*advertised != '\0' && !vend_listen_split (advertised, "advertise", &host, &port, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "advertise '%.100s': expected address:port",
                      advertised);
  if (*vend_settings_url (app->settings, "store") == '\0')
    return true;
  g_autofree char *own = vend_standby_address (vend_settings_text (app->settings, "listen"),
                                               vend_httpd_port (app->httpd));
  vend_store_announce (app->store, *advertised != '\0' ? advertised : own);
  return true;
}

/* Files of open predictions stay on this machine, where directors read them. */
static bool
is_needed_here (const char *sha256, void *data)
{
  const App *app = data;
  bool is_input = true;
  g_autoptr (GError) ignored = NULL;
  g_auto (VendReader) reader = vend_reader (app->store);
  return !vend_store_blob_is_input (reader.db, sha256, &is_input, &ignored) || is_input;
}

static bool
open_store (App *app, GError **error)
{
  const char *url = vend_settings_url (app->settings, "store");
  g_autofree char *path
      = *url != '\0' ? g_strdup (url) : g_build_filename (app->data_dir, "vend.db", NULL);
  guint threads = (guint) vend_settings_int (app->settings, "http-threads");
  const VendLease lease = lease_of (app);
  /* One more is the webhook sender's. */
  VendStoreOptions options
      = { .path = path,
          .lease = &lease,
          .taken = app->taken,
          .leaves_log = !vend_settings_bool (app->settings, "store-checkpoints"),
          .readers = threads + VEND_LATER_THREADS + MAX_SPOOLED_READERS + VEND_SHELF_THREADS + 1 };
  if (*url != '\0' && !vend_postgres_is_url (url))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "store: expected postgres://USER:PASSWORD@HOST:5432/DATABASE");
  if (!vend_serve_data_check (app->data_dir, path, error))
    return false;
  app->is_marked = true;
  app->taken = NULL;
  if (!vend_store_open (&options, &app->store, error)
      || !vend_serve_data_claim (app->data_dir, path, error)
      || !vend_file_place_open (app->settings, &app->file_keys, app->data_dir, &app->blobs, error))
    return false;
  vend_blobs_set_near_rule (app->blobs, is_needed_here, app);
  return vend_registry_new (app->store, app->blobs,
                            vend_settings_bytes (app->settings, "account-max-stored"),
                            &app->registry, error);
}

static guint
or_default (int64_t value, guint fallback)
{
  return value > 0 ? (guint) value : fallback;
}

static VendScaling
default_scaling (const App *app, guint cores)
{
  const VendSettings *s = app->settings;
  return (VendScaling){
    .max_instances = or_default (vend_settings_int (s, "max-instances"), cores),
    .idle_timeout_us = vend_settings_us (s, "idle-timeout"),
    .scale_down_delay_us = vend_settings_us (s, "scale-down-delay"),
    .on_demand = vend_settings_bool (s, "on-demand"),
    .concurrency = VEND_SCALING_MAX_CONCURRENCY,
    .target = vend_settings_int (s, "target"),
    .fast_start = vend_settings_bool (s, "fast-start"),
    .snapshot = vend_settings_bool (s, "snapshot"),
    .retry_safe = true,
    .network = app->network,
  };
}

static VendSchedLimits
sched_limits (const App *app)
{
  const VendSettings *s = app->settings;
  const guint cores = vend_machine_cores ();
  const uint64_t asked = vend_settings_bytes (s, "zygote-memory");
  const uint64_t zygote_memory = asked > 0 ? asked : vend_machine_memory () / 10;
  return (VendSchedLimits){
    .scaling = default_scaling (app, cores),
    .hardware_units = or_default (vend_skus_common_units (app->skus), 2 * cores),
    .boot_limit = or_default (vend_settings_int (s, "boot-limit"), MAX (cores / 2, 1)),
    .max_queue = (guint) vend_settings_int (s, "max-queue"),
    .account_max_queued = (guint) vend_settings_int (s, "account-max-queued"),
    .account_max_running = (guint) vend_settings_int (s, "account-max-running"),
    .account_max_stored = vend_settings_bytes (s, "account-max-stored"),
    .starvation_us = vend_settings_us (s, "starvation-bound"),
    .setup_timeout_us = vend_settings_us (s, "setup-timeout"),
    .predict_timeout_us = vend_settings_us (s, "predict-timeout"),
    .train_timeout_us = vend_settings_us (s, "train-timeout"),
    .cancel_grace_us = vend_settings_us (s, "cancel-grace"),
    .stop_grace_us = vend_settings_us (s, "stop-grace"),
    .zygote_memory = zygote_memory,
    .lease_us = vend_settings_us (s, "lease"),
    .max_output = vend_settings_bytes (s, "max-output"),
    .max_output_file = vend_settings_bytes (s, "max-output-file"),
    .max_input_file = vend_settings_bytes (s, "max-input-file"),
    .input_timeout_us = vend_settings_us (s, "input-timeout"),
    .input_min_speed = vend_settings_bytes (s, "input-min-speed"),
    .max_logs = vend_settings_bytes (s, "max-logs"),
    .instance_disk = vend_settings_bytes (s, "instance-disk"),
    .home_disk = vend_settings_bytes (s, "home-disk"),
  };
}

/* The length of a second between two tries, for tests only. */
#define WEBHOOK_UNIT_VARIABLE "VEND_TEST_WEBHOOK_UNIT_US"
/* The time between two full sweeps, for tests only. */
#define FULL_SWEEP_VARIABLE "VEND_TEST_FULL_SWEEP_US"

static bool
start_webhooks (App *app, GError **error)
{
  const VendSettings *s = app->settings;
  const char *unit = g_getenv (WEBHOOK_UNIT_VARIABLE);
  return vend_webhooks_start (
      &(VendWebhooksOptions){
          .store = app->store,
          .allow = vend_settings_text (s, "webhook-allow"),
          .keep_us = vend_settings_us (s, "webhook-keep"),
          .dead_keep_us = vend_settings_us (s, "webhook-dead-keep"),
          .dead_max = (int) vend_settings_int (s, "webhook-dead-max"),
          .unit_us = unit != NULL ? g_ascii_strtoll (unit, NULL, 10) : VEND_US_PER_S,
      },
      &app->webhooks, error);
}

static int64_t
full_sweep_us (void)
{
  const char *text = g_getenv (FULL_SWEEP_VARIABLE);
  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

/* On the thread of the sweep. */
static void
sweep_folders (void *data)
{
  const App *app = data;
  vend_builds_sweep (app->builds);
  vend_shelf_sweep (app->shelf);
  vend_images_sweep (app->images);
  vend_registry_sweep (app->registry);
  vend_workspace_probe_sweep (app->data_dir);
}

/* Directors and builders parse these settings themselves; mistakes are reported here. */
static bool
check_networks (const App *app, GError **error)
{
  static const char *const names[] = { "input-allow", "network-allow", "package-allow" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (VendNetworks) networks = NULL;
      if (!vend_networks_parse (vend_settings_text (app->settings, names[i]), names[i], &networks,
                                error))
        return false;
    }
  return true;
}

static bool
check_working_copy (const App *app, GError **error)
{
  const char *word = vend_settings_text (app->settings, "working-copy");
  g_autofree char *how = NULL;
  VendCopyKind kind;
  if (!vend_copy_kind_parse (word, &kind))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "working-copy: '%.100s' is none of " VEND_COPY_KINDS, word);
  const bool good = vend_workspace_probe (app->data_dir, kind, &how);
  vend_log (good ? VEND_LOG_INFO : VEND_LOG_WARN, "working copies of instances", "made", how, NULL);
  return true;
}

/* The root file system of an image needs a mount namespace whatever the setting is. */
static void
find_image_isolation (App *app, VendIsolationSetting setting)
{
  app->image_isolation = setting == VEND_ISOLATE_OFF
                             ? vend_isolation_probe (app->data_dir, VEND_ISOLATE_AUTO)
                             : vend_isolation_found_copy (app->isolation);
  g_autofree char *how = vend_isolation_describe (app->image_isolation);
  const bool is_there = app->image_isolation->kind == VEND_ISOLATION_SANDBOX;
  vend_log (VEND_LOG_INFO, is_there ? "isolation of images" : "images do not run here", "by", how,
            NULL);
}

static bool
parse_network (const App *app, const char *setting, VendNetworkKind *out, GError **error)
{
  const char *word = vend_settings_text (app->settings, setting);
  return vend_network_parse (word, out)
         || vend_fail (error, VEND_ERROR_INVALID, "%s: '%.100s' is none of " VEND_NETWORK_KINDS,
                       setting, word);
}

static bool
find_networks (App *app, GError **error)
{
  if (!parse_network (app, "network", &app->network, error))
    return false;
  app->max_network = app->network;
  if (*vend_settings_text (app->settings, "max-network") == '\0')
    return true;
  if (!parse_network (app, "max-network", &app->max_network, error))
    return false;
  return app->max_network <= app->network
         || vend_fail (error, VEND_ERROR_INVALID,
                       "max-network: '%s' is narrower than network, which is '%s'; narrow that too",
                       vend_network_word (app->max_network), vend_network_word (app->network));
}

static bool
find_isolation (App *app, GError **error)
{
  const char *word = vend_settings_text (app->settings, "isolation");
  VendIsolationSetting setting;
  if (!vend_isolation_setting_parse (word, &setting))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "isolation: '%.100s' is none of " VEND_ISOLATION_SETTINGS, word);
  if (!find_networks (app, error))
    return false;
  app->isolation = vend_isolation_probe (app->data_dir, setting);
  app->isolation_required = setting == VEND_ISOLATE_REQUIRED;
  g_autofree char *how = vend_isolation_describe (app->isolation);
  const bool is_refused = app->isolation_required && app->isolation->kind != VEND_ISOLATION_SANDBOX;
  vend_log (is_refused                                       ? VEND_LOG_ERROR
            : app->isolation->kind != VEND_ISOLATION_SANDBOX ? VEND_LOG_WARN
                                                             : VEND_LOG_INFO,
            is_refused ? "no instance will start: isolation is 'required'" : "isolation of models",
            "by", how, NULL);
  const bool is_host
      = app->network == VEND_NETWORK_HOST || app->isolation->kind != VEND_ISOLATION_SANDBOX;
  find_image_isolation (app, setting);
  if (*vend_settings_text (app->settings, "directors") != '\0'
      && app->isolation->kind != VEND_ISOLATION_NONE)
    vend_log (
        VEND_LOG_WARN,
        "other machines run no models: sandboxes are made on this one alone; 'isolation = off' "
        "lets models run there",
        NULL);
  if (setting != VEND_ISOLATE_OFF)
    vend_log (is_host ? VEND_LOG_WARN : VEND_LOG_INFO, "network of models", "kind",
              vend_network_word (is_host ? VEND_NETWORK_HOST : app->network), "widest",
              vend_network_word (is_host ? VEND_NETWORK_HOST : app->max_network), "note",
              is_host ? "models reach this server's ports and all that this machine reaches" : NULL,
              NULL);
  return true;
}

static void
on_gpus_changed (GPtrArray *take, void *sched)
{
  vend_sched_update_gpus (sched, take);
}

/* On a thread of the builds. */
static void
on_version_made (int64_t model_id, void *data)
{
  const App *app = data;
  vend_sched_model_changed (app->sched, model_id, NULL, NULL);
  vend_shelf_trim (app->shelf);
}

static VendHub
hub_of (const App *app)
{
  return (VendHub){ app->hub_endpoint != NULL ? app->hub_endpoint : VEND_HUB_DEFAULT,
                    app->hub_token, app->hub_endpoint != NULL };
}

static bool
make_runner (App *app, GError **error)
{
  g_autofree char *instances = g_build_filename (app->data_dir, VEND_INSTANCES_FOLDER, NULL);
  VendRunner *local = vend_runner_process_new (instances, app->binary);
  if (*vend_settings_text (app->settings, "directors") == '\0')
    {
      app->runner = local;
      return true;
    }
  if (!vend_machines_open (
          &(VendMachinesOptions){ .store = app->store,
                                  .blobs = app->blobs,
                                  .data_dir = app->data_dir,
                                  .listen = vend_settings_text (app->settings, "directors"),
                                  .local = local,
                                  .lease_us = vend_settings_us (app->settings, "lease"),
                                  .max_output_file
                                  = vend_settings_bytes (app->settings, "max-output-file") },
          &app->machines, error))
    return false;
  app->runner = vend_machines_runner (app->machines);
  return true;
}

static bool
open_shelf (App *app, GError **error)
{
  return vend_shelf_new (
      &(VendShelfOptions){ .store = app->store,
                           .blobs = app->blobs,
                           .runner = app->runner,
                           .hub = hub_of (app),
                           .allow = vend_settings_text (app->settings, "package-allow"),
                           .max = vend_settings_bytes (app->settings, "weights-max") },
      &app->shelf, error);
}

static bool
open_images (App *app, GError **error)
{
  return vend_images_new (
      &(VendImagesOptions){
          .store = app->store,
          .blobs = app->blobs,
          .runner = app->runner,
          .data_dir = app->data_dir,
          .max_bytes = vend_settings_bytes (app->settings, "image-max-unpacked"),
          .max_files = (uint64_t) vend_settings_int (app->settings, "image-max-files"),
          .timeout_us = vend_settings_us (app->settings, "image-unpack-timeout") },
      &app->images, error);
}

static bool
find_cgroups (App *app, GError **error)
{
  const char *setting = vend_settings_text (app->settings, "cgroups");
  if (strcmp (setting, "auto") != 0 && strcmp (setting, "off") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "cgroups: '%.100s' is neither auto nor off",
                      setting);
  const bool cpus = vend_skus_limit_cpus (app->skus);
  const bool is_off = *setting == 'o';
  app->cgroups = is_off ? vend_cgroups_none (NULL) : vend_cgroups_prepare (cpus);
  g_autofree char *used = vend_cgroups_describe (app->cgroups);
  const char *unused = is_off  ? "all, since cgroups is off"
                       : !cpus ? "cpu, since hardware-cpus is not set"
                               : NULL;
  vend_log (app->cgroups->why != NULL ? VEND_LOG_WARN : VEND_LOG_INFO, "limits of instances", "by",
            used, "unused", unused, "missing", app->cgroups->why, NULL);
  if (cpus && !vend_cgroups_have (app->cgroups, VEND_CGROUP_CPU))
    vend_log (VEND_LOG_WARN, "hardware-cpus is not enforced here", NULL);
  return true;
}

static bool
make_parts (App *app, GError **error)
{
  g_autoptr (GPtrArray) gpus = NULL;
  app->gpu_watch = vend_gpu_watch_new (&gpus);
  if (!vend_hardware_settings_read (app->settings, gpus, &app->skus, &app->prices, error)
      || !find_cgroups (app, error))
    return false;
  if (!make_runner (app, error))
    return false;
  app->meter = vend_meter_new ((guint) vend_settings_int (app->settings, "metrics-series"));
  app->auth = vend_auth_new (app->store);
  if (!check_networks (app, error) || !check_working_copy (app, error)
      || !find_isolation (app, error) || !start_webhooks (app, error) || !open_shelf (app, error)
      || !open_images (app, error))
    return false;
  app->sched = vend_sched_new (
      &(VendSchedOptions){ .core = g_main_context_default (),
                           .store = app->store,
                           .blobs = app->blobs,
                           .shelf = app->shelf,
                           .images = app->images,
                           .vault = app->vault,
                           .runner = app->runner,
                           .machines = app->machines,
                           .data_dir = app->data_dir,
                           .input_allow = vend_settings_text (app->settings, "input-allow"),
                           .working_copy = vend_settings_text (app->settings, "working-copy"),
                           .isolation = app->isolation,
                           .isolation_required = app->isolation_required,
                           .max_network = app->max_network,
                           .image_isolation = app->image_isolation,
                           .network_allow = vend_settings_text (app->settings, "network-allow"),
                           .webhooks = app->webhooks,
                           .meter = app->meter,
                           .limits = sched_limits (app),
                           .skus = app->skus,
                           .prices = app->prices,
                           .cgroups = app->cgroups,
                           .gpus = g_steal_pointer (&gpus) });
  if (!vend_sched_start_disk (app->sched, error)
      || !vend_gpu_watch_start (app->gpu_watch, on_gpus_changed, app->sched, error)
      || !vend_sched_recover (app->sched, error)
      || !vend_builds_open (&(VendBuildsOptions){ .store = app->store,
                                                  .blobs = app->blobs,
                                                  .runner = app->runner,
                                                  .registry = app->registry,
                                                  .settings = app->settings,
                                                  .data_dir = app->data_dir,
                                                  .vend_binary = app->binary,
                                                  .hub = hub_of (app),
                                                  .made = on_version_made,
                                                  .data = app },
                            &app->builds, error))
    return false;
  g_autofree char *uploads = g_build_filename (app->data_dir, "uploads", NULL);
  app->sweep = vend_sweep_start (
      &(VendSweepOptions){
          .store = app->store,
          .blobs = app->blobs,
          .retention_us = vend_settings_us (app->settings, "retention"),
          .decision_keep_us = vend_settings_us (app->settings, "decision-keep"),
          .decision_max = vend_settings_int (app->settings, "decision-max"),
          .full_interval_us = full_sweep_us (),
          .more = sweep_folders,
          .data = app,
          .uploads_dir = uploads,
      },
      error);
  if (app->sweep == NULL)
    return false;
  static const ApiRoute *const interfaces[] = { vend_mcp_routes, NULL };
  return vend_api_new (&(VendApiParts){ .store = app->store,
                                        .auth = app->auth,
                                        .blobs = app->blobs,
                                        .shelf = app->shelf,
                                        .registry = app->registry,
                                        .sched = app->sched,
                                        .machines = app->machines,
                                        .builds = app->builds,
                                        .webhooks = app->webhooks,
                                        .meter = app->meter,
                                        .vault = app->vault,
                                        .settings = app->settings,
                                        .skus = app->skus,
                                        .prices = app->prices,
                                        .web_build = vend_web_build (),
                                        .interfaces = interfaces },
                       &app->api, error);
}

static bool
read_tls (App *app, char **cert, char **key, char **ca, GError **error)
{
  const char *cert_path = vend_settings_text (app->settings, "tls-cert");
  const char *key_path = vend_settings_text (app->settings, "tls-key");
  if ((*cert_path == '\0') != (*key_path == '\0'))
    return vend_fail (error, VEND_ERROR_INVALID, "tls-cert and tls-key: expected both or neither");
  if (*cert_path != '\0')
    return vend_file_read (cert_path, MAX_PEM, cert, NULL, error)
           && vend_file_read (key_path, MAX_PEM, key, NULL, error);
  if (!vend_settings_bool (app->settings, "tls-auto"))
    return true;
  g_autofree char *dir = g_build_filename (app->data_dir, "tls", NULL);
  const char *const hosts[] = { g_get_host_name (), NULL };
  return vend_dir_ensure (dir, error) && vend_tls_auto (dir, hosts, cert, key, ca, error);
}

static const char *
text_or_null (const char *text)
{
  return *text != '\0' ? text : NULL;
}

static bool
open_http (App *app, char **out_ca, GError **error)
{
  g_autofree char *cert = NULL, *key = NULL;
  gsize n = 0;
  if (!read_tls (app, &cert, &key, out_ca, error))
    return false;
  g_autoptr (GArray) routes = g_array_new (FALSE, FALSE, sizeof (VendRoute));
  const VendRoute *of_api = vend_api_routes (app->api, &n);
  g_array_append_vals (routes, of_api, (guint) n);
  const VendRoute *of_web = vend_web_routes (&n);
  g_array_append_vals (routes, of_web, (guint) n);
  app->web = vend_web_new (vend_api_page_card, app->api);
  const VendRoute *pages = vend_web_pages (app->web, &n);
  VendHttpdOptions options = {
    .listen = vend_settings_text (app->settings, "listen"),
    .listener = MAX (app->service.listener, 0),
    .threads = (guint) vend_settings_int (app->settings, "http-threads"),
    .max_connections = app->max_connections,
    .max_connections_per_peer
    = or_default (vend_settings_int (app->settings, "max-connections-per-peer"),
                  MAX (app->max_connections / 2, 1)),
    .head_timeout_ms = (guint) (vend_settings_us (app->settings, "head-timeout") / VEND_US_PER_MS),
    .body_timeout_ms = (guint) (vend_settings_us (app->settings, "body-timeout") / VEND_US_PER_MS),
    .idle_timeout_s = IDLE_TIMEOUT_S,
    .pull_idle_ms = (guint) (vend_settings_us (app->settings, "stream-keepalive") / VEND_US_PER_MS),
    .max_body = vend_settings_bytes (app->settings, "max-body"),
    .spool_dir = vend_blobs_spool (app->blobs),
    .public_url = text_or_null (vend_settings_text (app->settings, "public-url")),
    .trusted_proxies = text_or_null (vend_settings_text (app->settings, "trusted-proxies")),
    .cors_origins = text_or_null (vend_settings_text (app->settings, "cors-origins")),
    .tls_cert_pem = cert,
    .tls_key_pem = key,
    .pages = pages,
    .n_pages = n,
    .other_page = vend_web_other_page (app->web),
    .preview_page = vend_web_preview_page (app->web),
    .observe = vend_api_observe,
    .observe_data = app->api,
    .restate = vend_api_restate,
  };
  return vend_httpd_open (&options, (const VendRoute *) (void *) routes->data, routes->len,
                          &app->httpd, error);
}

/* Every connection is a descriptor, and the usual soft limit is 1024. */
static rlim_t
raise_descriptor_limit (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return RLIM_INFINITY;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (before == limit.rlim_max || setrlimit (RLIMIT_NOFILE, &limit) == 0)
    return limit.rlim_max;
  vend_log (VEND_LOG_WARN, "cannot raise the limit of open files", NULL);
  return before;
}

static bool
fit_connections (App *app, GError **error)
{
  const guint64 wanted = (guint64) vend_settings_int (app->settings, "max-connections");
  const guint64 descriptors = raise_descriptor_limit ();
  const guint64 other = CLAMP (descriptors / 4, LEAST_OTHER_DESCRIPTORS, MOST_OTHER_DESCRIPTORS);
  if (descriptors < other + LEAST_CONNECTIONS)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "the limit of open files is %" G_GUINT64_FORMAT
                      ", and at least %d are needed; raise it (ulimit -n, LimitNOFILE)",
                      descriptors, LEAST_OTHER_DESCRIPTORS + LEAST_CONNECTIONS);
  app->max_connections = (guint) MIN (wanted, descriptors - other);
  if (app->max_connections == wanted)
    return true;
  g_autofree char *files = g_strdup_printf ("%" G_GUINT64_FORMAT, descriptors);
  g_autofree char *fitting = g_strdup_printf ("%u", app->max_connections);
  /* Nobody asked for the default. */
  const char *source = NULL;
  vend_settings_raw (app->settings, "max-connections", &source);
  vend_log (strcmp (source, "default") == 0 ? VEND_LOG_INFO : VEND_LOG_WARN,
            "max-connections is lowered to fit the limit of open files", "connections", fitting,
            "files", files, NULL);
  return true;
}

static void
show_token (const char *token, const char *url)
{
  g_printerr ("\n  Account: admin\n  Token:   %s\n\n"
              "  This token is shown once. For other programs:\n"
              "  export REPLICATE_BASE_URL=%s REPLICATE_API_TOKEN=%s\n\n",
              token, url, token);
}

static bool
set_up (App *app, GError **error)
{
  g_autofree char *ca = NULL, *url = NULL, *token = NULL;
  if (!fit_connections (app, error))
    return false;
  curl_global_init (CURL_GLOBAL_DEFAULT);
  /* Before there are threads: tables made by several at once would race for the seed. */
  json_object_seed (0);
  app->binary = g_file_read_link ("/proc/self/exe", error);
  if (app->binary == NULL || !make_data_dir (app, error) || !stand_by (app, error)
      || !open_data (app, error) || !vend_installation_key_open (app->data_dir, error)
      || !vend_vault_open (app->data_dir, true, &app->vault, error) || !open_store (app, error)
      || !make_parts (app, error) || !open_http (app, &ca, error))
    return false;

  const char *scheme
      = ca != NULL || *vend_settings_text (app->settings, "tls-cert") != '\0' ? "https" : "http";
  url = vend_serve_url (scheme, vend_settings_text (app->settings, "listen"),
                        vend_httpd_port (app->httpd));
  if (!vend_bootstrap (&app->bootstrap, app->store, app->data_dir, url, ca, &token, error))
    return false;
  vend_bootstrap_request_clear (&app->bootstrap);
  /* The server is complete before it reports to be ready. */
  if (!vend_httpd_try_serve (app->httpd, error) || !announce (app, error))
    return false;
  vend_log (VEND_LOG_INFO, "listening", "url", url, "data", app->data_dir, NULL);
  if (ca != NULL)
    vend_log (VEND_LOG_INFO, "clients trust this server with SSL_CERT_FILE or --cacert", "ca", ca,
              NULL);
  if (token != NULL)
    show_token (token, url);
  return true;
}

static void
tell_ready (App *app)
{
  g_autofree char *news = g_strdup_printf ("READY=1\nSTATUS=listening on %s",
                                           vend_settings_text (app->settings, "listen"));
  vend_service_tell (&app->service, news);
  if (vend_settings_bool (app->settings, "standby"))
    tell_watchdog (app, app->service.watchdog_us);
  watch (app);
}

/* Secrets of clients leave the environment too; children would inherit them. */
static void
take_secrets (App *app)
{
  g_autofree char *vend_token G_GNUC_UNUSED = vend_process_take_variable ("VEND_API_TOKEN");
  g_autofree char *replicate_token G_GNUC_UNUSED
      = vend_process_take_variable ("REPLICATE_API_TOKEN");
  g_autofree char *hub = g_strdup (g_getenv ("HF_ENDPOINT"));
  while (hub != NULL && g_str_has_suffix (hub, "/"))
    hub[strlen (hub) - 1] = '\0';
  app->hub_endpoint = hub != NULL && *hub != '\0' ? g_steal_pointer (&hub) : NULL;
  app->hub_token = vend_process_take_variable ("HF_TOKEN");
  vend_file_keys_take (&app->file_keys);
  app->bootstrap.account = vend_process_take_variable (VEND_BOOTSTRAP_ACCOUNT);
  app->bootstrap.token = vend_process_take_variable (VEND_BOOTSTRAP_TOKEN);
  app->bootstrap.token_file = vend_process_take_variable (VEND_BOOTSTRAP_TOKEN_FILE);
}

static void
report (const GError *error)
{
  const bool is_thread = error->domain == G_THREAD_ERROR;
  vend_terminal_note ("vend serve: %s%s", error->message,
                      is_thread ? "; raise the limits of threads and memory "
                                  "(ulimit -u, ulimit -v, TasksMax)"
                                : "");
}

static void *
do_nothing (void *data)
{
  return data;
}

/* GLib makes a thread for signals and children, and aborts when that fails. */
static bool
can_make_threads (GError **error)
{
  GThread *thread = g_thread_try_new ("first", do_nothing, NULL, error);
  if (thread != NULL)
    g_thread_join (thread);
  return thread != NULL;
}

int
vend_cmd_serve (int argc, char **argv)
{
  g_auto (App) app = { .lock_fd = -1 };
  g_autoptr (GError) error = NULL;
  int status = 0;
  umask (077);
  take_secrets (&app);
  if (!vend_serve_options (argc, argv, &app.settings, &status))
    return status;
  g_autofree char *store G_GNUC_UNUSED = vend_process_take_variable ("VEND_STORE");
  if (!vend_service_take (&app.service, &error) || !take_listener (&app, &error)
      || !vend_bootstrap_read_file (&app.bootstrap, &error)
      || !vend_bootstrap_check (&app.bootstrap, &error))
    {
      report (error);
      return 2;
    }
  if (!vend_log_start_writer (&error) || !can_make_threads (&error))
    {
      report (error);
      return 1;
    }
  app.loop = g_main_loop_new (NULL, FALSE);
  app.holder_mark = vend_holder_mark ();
  /* Before the address is printed: a reader of the address may send SIGTERM at once. */
  signal (SIGPIPE, SIG_IGN);
  app.term_source = g_unix_signal_add (SIGTERM, on_signal, &app);
  vend_process_survive_signals ();
  app.argc = argc;
  app.argv = argv;
  app.hup_source = g_unix_signal_add (SIGHUP, on_hangup, &app);
  app.int_source = g_unix_signal_add (SIGINT, on_signal, &app);
  if (!set_up (&app, &error))
    {
      vend_log_stop_writer (LOG_PATIENCE_US);
      /* A standby that was stopped. */
      if (g_error_matches (error, VEND_ERROR, VEND_ERROR_CANCELED))
        return 0;
      report (error);
      return g_error_matches (error, VEND_ERROR, VEND_ERROR_INVALID) ? 2 : 1;
    }
  app.is_complete = true;
  vend_api_set_ready (app.api, true);
  tell_ready (&app);
  app.beat_source = g_timeout_add (BEAT_MS, on_beat, &app);
  vend_turns_watch_context (NULL);
  /* A stop that came before all parts were there. */
  if (app.draining)
    {
      app.draining = false;
      on_signal (&app);
    }
  g_main_loop_run (app.loop);
  vend_log (VEND_LOG_INFO, "stopped", NULL);
  return 0;
}
