/* How instances start. Core thread; files are read and written on the disk pool. */
#include "sched/instance/fast-start.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "sched/instance/instance-spec.h"
#include "sched/instance/instance.h"
#include "sched/instance/isolate.h"
#include "sched/instance/snapshots.h"
#include "sched/instance/zygotes.h"
#include "sched/target/target.h"
#include "zygote/zygote-process.h"
#include <string.h>

#define MAX_IMPORTS ((gsize) 2 << 20)
#define MAX_MODULE ((gsize) 200)
#define KEY_LENGTH 32
#define MAX_REASON 400
/* Before any fast start of a model was seen: the part of a plain one that it spares. */
#define SHARE_SPARED 0.8
/* A snapshot is worth its making where a boot from loaded imports takes longer. */
#define SLOW_BOOT_US (500 * VEND_US_PER_MS)

struct FastStart
{
  VendSched *sched;
  char *dir;
  char *scripts;
  char *launcher_dir;
  char *launcher;
  char *problem; /* why there are none at all; NULL: there are */
  VendZygotes *zygotes;
};

/* ---- Learned imports, as files beside the source: versions that share it share them */

static char *
imports_file (const Instance *instance)
{
  return vend_instance_source (
      instance, instance->target->kind == VEND_KIND_TRAINING ? "imports-train" : "imports");
}

static char *
file_of (const Instance *instance, const char *name)
{
  const VendRunner *runner = instance->sched->runner;
  g_autofree char *folder = runner->folder (runner, instance->id);
  return g_build_filename (folder, name, NULL);
}

static char *
recorded_file (const Instance *instance)
{
  return file_of (instance, "record/imports");
}

static bool
is_module (const char *name)
{
  const gsize length = strlen (name);
  if (length == 0 || length > MAX_MODULE)
    return false;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && name[i] != '_' && name[i] != '.')
      return false;
  return true;
}

/* "pkg" of "pkg.part", and of the file "pkg.py". */
static char *
first_part (const char *name)
{
  return g_strndup (name, strcspn (name, "."));
}

/* The model's own modules are not imported ahead: they belong to one version, and change with it.
 */
static GHashTable *
own_modules (const char *source)
{
  GHashTable *own = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GDir) listing = g_dir_open (source, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    g_hash_table_add (own, first_part (name));
  return own;
}

static char *
select_imports (const char *recorded, const char *source)
{
  g_autoptr (GHashTable) own = own_modules (source);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (GStrv) names = g_strsplit (recorded, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  /* What follows the last newline may be half a name. */
  for (gsize i = 0; names[i] != NULL && names[i + 1] != NULL; i++)
    {
      g_autofree char *first = first_part (names[i]);
      if (is_module (names[i]) && !g_hash_table_contains (own, first)
          && g_hash_table_add (seen, names[i]))
        g_string_append_printf (text, "%s\n", names[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- How it starts */

static VendZygoteSpec *
spec_of (const Instance *instance, const char *imports_digest)
{
  json_auto_t *environment = vend_instance_environment (instance);
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  const char *name;
  json_t *value;
  json_object_foreach (environment, name, value)
    g_ptr_array_add (items, g_strdup_printf ("%s=%s", name, json_string_value (value)));
  g_ptr_array_add (items, NULL);

  VendZygoteSpec *spec = g_new0 (VendZygoteSpec, 1);
  spec->env = (char **) g_ptr_array_free (g_steal_pointer (&items), FALSE);
  spec->python = vend_instance_python (instance);
  spec->imports = imports_file (instance);
  spec->model = g_strdup (instance->target->name);
  vend_isolate_zygote (instance, spec);
  /* What is about this instance alone is no part of it; the zygote knows the same rule. */
  g_autoptr (GString) text = g_string_new (spec->python);
  g_string_append_printf (text, "\n%s\n", imports_digest);
  for (gsize i = 0; spec->env[i] != NULL; i++)
    if (!g_str_has_prefix (spec->env[i], "COG_"))
      g_string_append_printf (text, "%s\n", spec->env[i]);
  /* A room is of one account. */
  if (spec->has_room)
    g_string_append_printf (text, "%s\n", spec->home);
  g_autofree char *digest = vend_sha256_text (text->str);
  spec->key = g_strndup (digest, KEY_LENGTH);
  return spec;
}

static int64_t
saved_us (const Target *target)
{
  const double plain = target->plain_boot_us;
  const double fast = target->fast_boot_us;
  return (int64_t) (fast > 0 ? MAX (plain - fast, 0) : plain * SHARE_SPARED);
}

/* The same of a snapshot, for what is left of a boot from loaded imports. */
static int64_t
snapshot_saved_us (const Target *target)
{
  const double fast = target->fast_boot_us;
  const double snapshot = target->snapshot_boot_us;
  return (int64_t) (snapshot > 0 ? MAX (fast - snapshot, 0) : fast * SHARE_SPARED);
}

typedef struct
{
  Instance *instance;
  FastStartThen then;
  char *path;
  char *digest; /* NULL: nothing was learned yet */
} Preparation;

static void
look_up (void *data)
{
  Preparation *job = data;
  g_autoptr (GError) ignored = NULL;
  if (!vend_sha256_file (job->path, &job->digest, &ignored))
    job->digest = NULL;
}

static void
plainly (Instance *instance, const char *why)
{
  g_free (instance->plain_why);
  instance->plain_why = g_strdup (why);
}

static bool
is_wanted (const VendSched *sched, const char *key)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (g_strcmp0 (((const Target *) value)->snapshot_key, key) == 0)
      return true;
  return false;
}

/* Of a target; what it leaves behind ends unless another one starts from it. */
static void
change_snapshot (Target *target, const char *key)
{
  VendZygotes *zygotes = target->sched->fast_start->zygotes;
  if (g_strcmp0 (target->snapshot_key, key) == 0)
    return;
  g_autofree char *old = g_steal_pointer (&target->snapshot_key);
  target->snapshot_key = g_strdup (key);
  if (old != NULL && zygotes != NULL && !is_wanted (target->sched, old))
    vend_zygotes_forget (zygotes, old);
}

static void
choose_snapshot (Instance *instance, const VendZygoteSpec *imports)
{
  const FastStart *fast = instance->sched->fast_start;
  const char *why = NULL;
  VendZygoteSpec *spec = vend_snapshot_spec (instance, imports, fast->dir, fast->launcher_dir);
  change_snapshot (instance->target, spec != NULL ? spec->key : NULL);
  if (spec != NULL && vend_zygotes_know (fast->zygotes, spec->key))
    {
      instance->snapshot = g_strdup (
          vend_zygotes_use (fast->zygotes, spec->key, snapshot_saved_us (instance->target), &why));
      instance->snapshot_why = instance->snapshot == NULL ? g_strdup (why) : NULL;
    }
  instance->snapshot_spec = spec;
}

static void
looked_up (void *data)
{
  g_autofree Preparation *job = data;
  Instance *instance = job->instance;
  g_autofree char *digest = job->digest;
  g_free (job->path);
  if (digest == NULL)
    {
      instance->records_imports = true;
      plainly (instance, "its imports are not learned yet");
    }
  else
    {
      VendZygotes *zygotes = instance->sched->fast_start->zygotes;
      VendZygoteSpec *spec = spec_of (instance, digest);
      g_autofree char *key = g_strdup (spec->key);
      const char *why = NULL;
      choose_snapshot (instance, spec);
      vend_zygotes_request (zygotes, spec);
      instance->zygote
          = g_strdup (vend_zygotes_use (zygotes, key, saved_us (instance->target), &why));
      /* The snapshot's is nested in that of a zygote, which can fork into it as well. */
      instance->room = instance->snapshot != NULL
                           ? vend_zygotes_room (zygotes, instance->snapshot_spec->key)
                       : instance->zygote != NULL ? vend_zygotes_room (zygotes, key)
                                                  : NULL;
      if (instance->zygote == NULL)
        plainly (instance, why);
    }
  job->then (instance);
}

/* Why this one is not to start fast at all, or NULL. */
static const char *
objection (const Instance *instance)
{
  if (!instance->target->scaling.fast_start)
    return "fast start is off";
  if (instance->target->image != NULL)
    return "it is an image";
  if (instance->machine != NULL)
    return "it runs on another machine";
  const char *why = vend_isolate_no_forks (instance);
  return why != NULL ? why : instance->sched->fast_start->problem;
}

void
vend_fast_start_prepare (Instance *instance, FastStartThen then)
{
  const char *why = objection (instance);
  if (why != NULL)
    {
      change_snapshot (instance->target, NULL);
      plainly (instance, why);
      then (instance);
      return;
    }
  Preparation *job = g_new0 (Preparation, 1);
  *job = (Preparation){ .instance = instance, .then = then, .path = imports_file (instance) };
  vend_sched_on_disk (instance->sched, look_up, looked_up, job);
}

const char *
vend_fast_start_launcher (const Instance *instance)
{
  return instance->zygote != NULL || instance->snapshot != NULL || instance->records_imports
             ? instance->sched->fast_start->launcher
             : NULL;
}

void
vend_fast_start_environment (const Instance *instance, json_t *env)
{
  const FastStart *fast = instance->sched->fast_start;
  if (vend_fast_start_launcher (instance) == NULL)
    return;
  g_autofree char *path
      = g_strconcat (fast->launcher_dir, ":", vend_json_string (env, "PATH"), NULL);
  g_autofree char *python = vend_instance_python (instance);
  g_autofree char *report = file_of (instance, "start");
  g_autofree char *recorded = recorded_file (instance);
  vend_json_set_string (env, "PATH", path);
  vend_json_set_string (env, "VEND_LAUNCH_DIR", fast->launcher_dir);
  vend_json_set_string (env, "VEND_LAUNCH_PYTHON", python);
  if (instance->zygote != NULL)
    vend_json_set_string (env, "VEND_LAUNCH_ZYGOTE", instance->zygote);
  if (instance->snapshot != NULL)
    vend_json_set_string (env, "VEND_LAUNCH_SNAPSHOT", instance->snapshot);
  /* In a sandbox the director is told. */
  if (instance->room == NULL && (instance->zygote != NULL || instance->snapshot != NULL))
    vend_json_set_string (env, "VEND_LAUNCH_REPORT", report);
  if (instance->records_imports)
    vend_json_set_string (env, "VEND_LAUNCH_RECORD", recorded);
}

/* ---- How it started */

static void
note_snapshot (Instance *instance, const char *why)
{
  instance->from_snapshot = why == NULL;
  g_free (instance->snapshot_why);
  instance->snapshot_why = why != NULL ? g_strndup (why, MAX_REASON) : NULL;
  if (why != NULL)
    vend_log (VEND_LOG_WARN, "an instance is not forked from its snapshot", "instance",
              instance->id, "reason", why, NULL);
}

/* What the launcher calls a zygote is the snapshot here. */
static char *
why_missed (const char *said)
{
  static const char its_zygote[] = "the zygote ";
  if (g_str_has_prefix (said, "no zygote"))
    return g_strdup ("its snapshot does not answer");
  g_autofree char *text = g_str_has_prefix (said, its_zygote)
                              ? g_strconcat ("its snapshot ", said + strlen (its_zygote), NULL)
                              : g_strdup (said);
  return g_utf8_make_valid (text, -1);
}

/* Of a start in a room; elsewhere the snapshot itself has told. */
static void
hear_snapshot (Instance *instance, const json_t *frame)
{
  const char *why = vend_json_string (frame, "snapshot_reason");
  if (instance->room == NULL || instance->snapshot == NULL || instance->from_snapshot)
    return;
  g_autofree char *missed = why != NULL ? why_missed (why) : NULL;
  if (missed != NULL || g_strcmp0 (vend_json_string (frame, "start"), "snapshot") == 0)
    note_snapshot (instance, missed);
}

void
vend_fast_start_heard (Instance *instance, const json_t *frame)
{
  const char *start = vend_json_string (frame, "start");
  const char *why = vend_json_string (frame, "plain_reason");
  instance->started_fast = instance->started_fast || g_strcmp0 (start, "fast") == 0
                           || g_strcmp0 (start, "snapshot") == 0;
  hear_snapshot (instance, frame);
  if (g_strcmp0 (start, "plain") != 0 || why == NULL)
    return;
  g_autofree char *text = g_strndup (why, MIN (strlen (why), MAX_REASON));
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  instance->started_fast = false;
  plainly (instance, valid);
  vend_log (VEND_LOG_WARN, "an instance started plainly", "instance", instance->id, "reason", valid,
            NULL);
}

void
vend_fast_start_ready (Instance *instance)
{
  const int64_t boot_us = instance->ready_us - instance->created_us;
  Target *target = instance->target;
  vend_measure_boot (instance->from_snapshot  ? &target->snapshot_boot_us
                     : instance->started_fast ? &target->fast_boot_us
                                              : &target->plain_boot_us,
                     boot_us);
  instance->wants_snapshot = instance->snapshot_spec != NULL && instance->started_fast
                             && !instance->from_snapshot && boot_us > SLOW_BOOT_US;
  if (instance->snapshot != NULL && !instance->from_snapshot && instance->snapshot_why == NULL)
    instance->snapshot_why = g_strdup ("its snapshot does not answer");
}

/* Its word comes before that of the director, which waits for the model server. */
static void
forked (VendSched *sched, const char *id, const char *why)
{
  Instance *instance = g_hash_table_lookup (sched->instances, id);
  if (instance != NULL)
    note_snapshot (instance, why);
}

const char *
vend_fast_start_kind (const Instance *instance)
{
  if (instance->from_snapshot)
    return "snapshot";
  return instance->started_fast ? "fast" : instance->plain_why != NULL ? "plain" : NULL;
}

/* ---- Learning */

typedef struct
{
  Instance *instance;
  char *recorded;
  char *imports;
  char *source;
  char *digest;
} Lesson;

static void
learn (void *data)
{
  Lesson *job = data;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_file_read (job->recorded, MAX_IMPORTS, &text, NULL, &error))
    {
      vend_log (VEND_LOG_WARN, "no imports were recorded", "error", error->message, NULL);
      return;
    }
  g_autofree char *selected = select_imports (text, job->source);
  if (*selected == '\0')
    return;
  if (vend_file_replace (job->imports, selected, strlen (selected), 0600, &error))
    job->digest = vend_sha256_text (selected);
  else
    vend_log (VEND_LOG_WARN, "cannot keep learned imports", "error", error->message, NULL);
}

static void
learned (void *data)
{
  g_autofree Lesson *job = data;
  Instance *instance = job->instance;
  g_free (job->recorded);
  g_free (job->imports);
  g_free (job->source);
  instance->learning = false;
  if (job->digest != NULL && !instance->sched->draining)
    vend_zygotes_request (instance->sched->fast_start->zygotes, spec_of (instance, job->digest));
  g_free (job->digest);
  vend_sched_reconcile_soon (instance->sched);
}

static void
request_snapshot (Instance *instance)
{
  VendZygotes *zygotes = instance->sched->fast_start->zygotes;
  const char *why = NULL;
  if (!instance->wants_snapshot || instance->sched->draining)
    return;
  instance->wants_snapshot = false;
  g_autofree char *key = g_strdup (instance->snapshot_spec->key);
  const bool is_new = !vend_zygotes_know (zygotes, key);
  vend_zygotes_request (zygotes, g_steal_pointer (&instance->snapshot_spec));
  /* The start that shows the need for it counts. */
  if (is_new)
    vend_zygotes_use (zygotes, key, snapshot_saved_us (instance->target), &why);
}

void
vend_fast_start_learn (Instance *instance)
{
  request_snapshot (instance);
  if (!instance->records_imports || instance->ready_us == 0)
    return;
  instance->records_imports = false;
  instance->learning = true;
  Lesson *job = g_new0 (Lesson, 1);
  job->instance = instance;
  job->recorded = recorded_file (instance);
  job->imports = imports_file (instance);
  job->source = vend_instance_source (instance, "src");
  vend_sched_on_disk (instance->sched, learn, learned, job);
}

/* ---- Life */

FastStart *
vend_fast_start_new (VendSched *sched)
{
  FastStart *fast = g_new0 (FastStart, 1);
  g_autoptr (GError) error = NULL;
  fast->sched = sched;
  fast->dir = g_build_filename (sched->data_dir, "zygotes", NULL);
  if (!vend_zygote_install (fast->dir, &fast->scripts, &error))
    {
      vend_log (VEND_LOG_WARN, "no fast starts", "error", error->message, NULL);
      fast->problem = g_strdup (error->message);
      return fast;
    }
  fast->launcher_dir = g_build_filename (fast->scripts, "bin", NULL);
  fast->launcher = g_build_filename (fast->launcher_dir, "python", NULL);
  vend_snapshots_sweep (fast->dir);
  fast->zygotes
      = vend_zygotes_new (sched, fast->dir, fast->scripts, sched->limits.zygote_memory, forked);
  return fast;
}

void
vend_fast_start_free (FastStart *fast)
{
  if (fast == NULL)
    return;
  vend_zygotes_free (fast->zygotes);
  g_free (fast->dir);
  g_free (fast->scripts);
  g_free (fast->launcher_dir);
  g_free (fast->launcher);
  g_free (fast->problem);
  g_free (fast);
}

void
vend_fast_start_tick (FastStart *fast)
{
  if (fast->zygotes != NULL)
    vend_zygotes_tick (fast->zygotes);
}

void
vend_fast_start_forget (Target *target)
{
  change_snapshot (target, NULL);
}

bool
vend_fast_start_has_snapshot (const Target *target)
{
  const VendZygotes *zygotes = target->sched->fast_start->zygotes;
  return zygotes != NULL && target->snapshot_key != NULL
         && vend_zygotes_is_ready (zygotes, target->snapshot_key);
}

json_t *
vend_fast_start_describe (const FastStart *fast, bool snapshots)
{
  return fast->zygotes != NULL ? vend_zygotes_describe (fast->zygotes, snapshots) : json_array ();
}
