/* The page of `vend top`. Pure. */
#include "cli/commands/top-view.h"
#include "base/clock.h"
#include "base/count.h"
#include "cli/arguments/arguments.h"
#include "cli/terminal/table.h"
#include <math.h>
#include <string.h>

#define SHOWN_ID 8
#define LEAST_ROWS 3 /* of each table, before the other one gets more */
#define KIB 1024.0

typedef struct
{
  GPtrArray *lines; /* of char * */
  GArray *bold;     /* of gboolean */
  guint width;
} Page;

static void add_line (Page *page, gboolean is_bold, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
add_line (Page *page, gboolean is_bold, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  if (page->width > 0 && g_utf8_strlen (text, -1) > page->width)
    *g_utf8_offset_to_pointer (text, page->width) = '\0';
  g_ptr_array_add (page->lines, g_steal_pointer (&text));
  g_array_append_val (page->bold, is_bold);
}

/* ---- Numbers for people */

/* "0.4 s", "75 s", "12 min", "5 h", "3 d" */
static char *
duration (double seconds)
{
  if (seconds < 10)
    return g_strdup_printf ("%.1f s", MAX (seconds, 0));
  if (seconds < 120)
    return g_strdup_printf ("%.0f s", seconds);
  if (seconds < 2 * 3600.0)
    return g_strdup_printf ("%.0f min", floor (seconds / 60));
  if (seconds < 2 * 86400.0)
    return g_strdup_printf ("%.0f h", floor (seconds / 3600));
  return g_strdup_printf ("%.0f d", floor (seconds / 86400));
}

static char *
duration_of (const json_t *object, const char *key)
{
  return json_is_number (json_object_get (object, key))
             ? duration (vend_json_double (object, key, 0))
             : g_strdup ("-");
}

/* "210 MiB", "3.1 GiB" */
static char *
memory (int64_t bytes)
{
  const double mib = (double) bytes / KIB / KIB;
  return mib < 1000 ? g_strdup_printf ("%.0f MiB", mib) : g_strdup_printf ("%.1f GiB", mib / KIB);
}

static char *
number_of (const json_t *object, const char *key)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (object, key, 0));
}

/* "2 ready, 1 booting" */
static char *
states (const json_t *counts)
{
  g_autoptr (GString) text = g_string_new (NULL);
  static const char *const names[] = { "ready", "booting", "starting", "stopping" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const int64_t n = vend_json_int (counts, names[i], 0);
      if (n > 0)
        g_string_append_printf (text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : "", n,
                                names[i]);
    }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : g_strdup ("none");
}

/* ---- Head */

static void
add_head (Page *page, const json_t *now, const char *server)
{
  const json_t *about = json_object_get (now, "server");
  const json_t *totals = json_object_get (now, "totals");
  const json_t *machine = json_object_get (now, "machine");
  const json_t *load = json_object_get (machine, "load");
  g_autofree char *time = vend_argument_shown_time (now, "now");
  g_autofree char *up = duration (vend_json_double (about, "uptime_seconds", 0));
  g_autofree char *instances = states (json_object_get (totals, "instances"));
  const int64_t all = vend_json_int (machine, "memory", 0);
  const int64_t available = vend_json_int (machine, "memory_available", 0);
  g_autofree char *used_text = memory (MAX (all - available, 0));
  g_autofree char *all_text = memory (all);

  add_line (page, TRUE, "vend %s at %s, up %s, %s%s%s", vend_argument_shown (about, "version"),
            server, up, time, vend_json_bool (now, "draining", false) ? ", shutting down" : "",
            vend_json_bool (now, "recovering", false) ? ", recovering" : "");
  add_line (page, FALSE,
            "predictions: %" G_GINT64_FORMAT " waiting, %" G_GINT64_FORMAT
            " running, %" G_GINT64_FORMAT " ended; instances: %s; lost runs: %" G_GINT64_FORMAT,
            vend_json_int (totals, "waiting", 0), vend_json_int (totals, "running", 0),
            vend_json_int (totals, "ended", 0), instances, vend_json_int (totals, "runs_lost", 0));
  add_line (
      page, FALSE, "machine: load %.2f %.2f %.2f of %" G_GINT64_FORMAT " cores, memory %s of %s",
      json_number_value (json_array_get (load, 0)), json_number_value (json_array_get (load, 1)),
      json_number_value (json_array_get (load, 2)), vend_json_int (machine, "cores", 0), used_text,
      all_text);
}

/* ---- Tables */

/* At most `most` rows of it; `left_out` others are counted with those that do not fit. */
static void
add_table (Page *page, const VendTable *table, guint most, guint64 left_out, const char *what)
{
  const guint rows = vend_table_rows (table);
  g_autofree char *text = vend_table_text (table, page->width);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  const guint shown = rows + (left_out > 0) <= most ? rows : MAX (most, 1) - 1;
  add_line (page, FALSE, "%s", "");
  for (guint i = 0; i <= shown && lines[i] != NULL; i++)
    add_line (page, i == 0, "%s", lines[i]);
  if (shown < rows || left_out > 0)
    add_line (page, FALSE, "… and %" G_GUINT64_FORMAT " %s", left_out + (rows - shown), what);
}

static void
add_hardware (Page *page, const json_t *now)
{
  static const char *const columns[] = { "HARDWARE", "USED", "GPUS", "NAME", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *kind;
  vend_table_align_right (table, 1);
  vend_table_align_right (table, 2);
  json_array_foreach (json_object_get (now, "hardware"), i, kind)
    {
      g_autofree char *used
          = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                             vend_json_int (kind, "used", 0), vend_json_int (kind, "units", 0));
      g_autofree char *gpus = number_of (kind, "gpus");
      vend_table_add (table, vend_argument_shown (kind, "sku"), used, gpus,
                      vend_argument_shown (kind, "name"));
    }
  add_table (page, table, G_MAXUINT, 0, "");
}

static char *
short_id (const json_t *object, const char *key)
{
  return g_strndup (vend_argument_shown (object, key), SHOWN_ID);
}

static void
add_gpus (Page *page, const json_t *now)
{
  static const char *const columns[] = { "GPU", "MEMORY", "INSTANCE", "NAME", "HEALTH", NULL };
  const json_t *gpus = json_object_get (now, "gpus");
  if (json_array_size (gpus) == 0)
    return;
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *gpu;
  vend_table_align_right (table, 1);
  json_array_foreach ((json_t *) gpus, i, gpu)
    {
      g_autofree char *index = number_of (gpu, "index");
      g_autofree char *size = memory (vend_json_int (gpu, "memory", 0));
      g_autofree char *instance = short_id (gpu, "instance");
      const char *fault = vend_json_string (gpu, "fault");
      vend_table_add (table, index, size, *instance != '\0' ? instance : "-",
                      vend_argument_shown (gpu, "name"), fault != NULL ? fault : "ok");
    }
  add_table (page, table, G_MAXUINT, 0, "");
}

/* A deployment's own name, else the model's. */
static const char *
shown_name (const json_t *object)
{
  const char *deployment = vend_json_string (object, "deployment");
  return deployment != NULL ? deployment : vend_argument_shown (object, "model");
}

static bool
has_instances (const json_t *counts)
{
  const char *state;
  json_t *n;
  json_object_foreach ((json_t *) counts, state, n)
    if (json_integer_value (n) > 0)
      return true;
  return false;
}

/* Nobody waits there, nothing is there, and nothing is to be. */
static bool
is_quiet (const json_t *queue)
{
  return vend_json_int (queue, "waiting", 0) == 0 && vend_json_int (queue, "running", 0) == 0
         && vend_json_int (queue, "min_instances", 0) == 0
         && vend_json_int (queue, "boot_failures", 0) == 0
         && !has_instances (json_object_get (queue, "instances"));
}

static VendTable *
make_queues (const json_t *now)
{
  static const char *const columns[]
      = { "QUEUE", "WAITING", "OLDEST", "RUNNING", "MIN-MAX", "BOOT", "RUN", "INSTANCES", NULL };
  VendTable *table = vend_table_new (columns);
  size_t i;
  json_t *queue;
  vend_table_cut_middle (table, 0);
  for (guint column = 1; column <= 6; column++)
    vend_table_align_right (table, column);
  json_array_foreach (json_object_get (now, "queues"), i, queue)
    {
      if (is_quiet (queue))
        continue;
      const bool is_waited_for = vend_json_int (queue, "waiting", 0) > 0;
      g_autofree char *waiting = number_of (queue, "waiting");
      g_autofree char *oldest
          = is_waited_for ? duration_of (queue, "oldest_wait_seconds") : g_strdup ("-");
      g_autofree char *running = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                                  vend_json_int (queue, "running", 0),
                                                  vend_json_int (queue, "slots", 0));
      g_autofree char *bounds = g_strdup_printf ("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
                                                 vend_json_int (queue, "min_instances", 0),
                                                 vend_json_int (queue, "max_instances", 0));
      g_autofree char *boot = duration_of (queue, "boot_seconds");
      g_autofree char *run = duration_of (queue, "run_seconds");
      g_autofree char *instances = states (json_object_get (queue, "instances"));
      const int64_t failures = MAX (vend_json_int (queue, "boot_failures", 0), 0);
      g_autofree char *failed
          = vend_count_text ((uint64_t) failures, "failed boot", "failed boots");
      g_autofree char *shown
          = failures > 0 ? g_strconcat (instances, ", ", failed, NULL) : g_strdup (instances);
      vend_table_add (table, shown_name (queue), waiting, oldest, running, bounds, boot, run,
                      shown);
    }
  return table;
}

/* The processor's share since `before`, or since the start of the instance. */
static char *
cpu_share (const json_t *instance, const json_t *before, double seconds)
{
  double cpu = vend_json_double (instance, "cpu_seconds", 0);
  double span = vend_json_double (instance, "age_seconds", 0);
  size_t i;
  json_t *other;
  json_array_foreach (json_object_get (before, "instances"), i, other)
    if (g_strcmp0 (vend_json_string (other, "id"), vend_json_string (instance, "id")) == 0)
      {
        cpu -= vend_json_double (other, "cpu_seconds", 0);
        span = seconds;
        break;
      }
  if (span <= 0)
    return g_strdup ("-");
  return g_strdup_printf ("%.0f %%", MAX (cpu, 0) / span * 100);
}

static double
seconds_between (const json_t *before, const json_t *now)
{
  int64_t before_us = 0, now_us = 0;
  const char *a = vend_json_string (before, "now"), *b = vend_json_string (now, "now");
  if (a == NULL || b == NULL || !vend_time_parse (a, &before_us, NULL)
      || !vend_time_parse (b, &now_us, NULL))
    return 0;
  return (double) (now_us - before_us) / VEND_US_PER_S;
}

static char *
gpus_text (const json_t *instance)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *index;
  json_array_foreach (json_object_get (instance, "gpus"), i, index)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "",
                            (gint64) json_integer_value (index));
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : g_strdup ("-");
}

static VendTable *
make_instances (const json_t *now, const json_t *before)
{
  static const char *const columns[]
      = { "INSTANCE", "MODEL", "STATE", "HARDWARE", "GPU", "RUNS", "AGE", "CPU", "MEMORY", NULL };
  VendTable *table = vend_table_new (columns);
  const double seconds = seconds_between (before, now);
  size_t i;
  json_t *instance;
  vend_table_cut_middle (table, 1);
  for (guint column = 5; column <= 8; column++)
    vend_table_align_right (table, column);
  json_array_foreach (json_object_get (now, "instances"), i, instance)
    {
      g_autofree char *id = short_id (instance, "id");
      g_autofree char *gpus = gpus_text (instance);
      g_autofree char *runs = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                               vend_json_int (instance, "running", 0),
                                               vend_json_int (instance, "slots", 0));
      g_autofree char *age = duration_of (instance, "age_seconds");
      g_autofree char *cpu = cpu_share (instance, before, seconds);
      g_autofree char *size = memory (vend_json_int (instance, "memory", 0));
      const bool is_draining = vend_json_bool (instance, "draining", false)
                               && strcmp (vend_argument_shown (instance, "state"), "ready") == 0;
      vend_table_add (table, id, shown_name (instance),
                      is_draining ? "draining" : vend_argument_shown (instance, "state"),
                      vend_argument_shown (instance, "hardware"), gpus, runs, age, cpu, size);
    }
  return table;
}

/* ---- The whole page */

/* How many rows each of two tables gets of `room`: half, and what the other one leaves. */
static void
share (guint room, guint wanted_a, guint wanted_b, guint *out_a, guint *out_b)
{
  *out_a = MIN (wanted_a, MAX (room / 2, room > wanted_b ? room - wanted_b : 0));
  *out_b = MIN (wanted_b, room - MIN (*out_a, room));
}

static void
add_load (Page *page, const json_t *now, const json_t *before, guint height)
{
  g_autoptr (VendTable) queues = make_queues (now);
  g_autoptr (VendTable) instances = make_instances (now, before);
  const guint64 more_queues = (guint64) MAX (vend_json_int (now, "queues_left_out", 0), 0);
  const guint64 more_instances = (guint64) MAX (vend_json_int (now, "instances_left_out", 0), 0);
  guint most_queues = G_MAXUINT, most_instances = G_MAXUINT;
  if (height > 0)
    {
      /* An empty line and headings for each. */
      const guint used = page->lines->len + 4;
      const guint room = MAX (height > used ? height - used : 0, 2 * LEAST_ROWS);
      share (room, vend_table_rows (queues) + (more_queues > 0),
             vend_table_rows (instances) + (more_instances > 0), &most_queues, &most_instances);
    }
  add_table (page, queues, most_queues, more_queues, "other queues");
  add_table (page, instances, most_instances, more_instances, "other instances");
}

char **
vend_top_view (const json_t *now, const json_t *before, const char *server, VendTopSize size,
               gboolean **out_bold)
{
  Page page = { .lines = g_ptr_array_new_with_free_func (g_free),
                .bold = g_array_new (FALSE, FALSE, sizeof (gboolean)),
                .width = size.width };
  add_head (&page, now, server);
  add_hardware (&page, now);
  add_gpus (&page, now);
  add_load (&page, now, before, size.height);
  if (size.height > 0 && page.lines->len > size.height)
    g_ptr_array_set_size (page.lines, (gint) size.height);
  g_ptr_array_add (page.lines, NULL);
  gboolean *bold = (gboolean *) (void *) g_array_free (page.bold, FALSE);
  if (out_bold != NULL)
    *out_bold = bold;
  else
    g_free (bold);
  return (char **) g_ptr_array_free (page.lines, FALSE);
}
