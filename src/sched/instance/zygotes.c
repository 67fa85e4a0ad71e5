/* The zygotes of this machine. One is made at a time, since that takes a core; the budget is kept
 * by ending those that spare the least time for their memory. Core thread. */
#include "sched/instance/zygotes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd-source.h"
#include "base/fd.h"
#include "base/log.h"
#include "sched/core.h"
#include "sched/instance/snapshots.h"
#include "zygote/snapshot-process.h"
#include "zygote/zygote-group.h"
#include "zygote/zygote-process.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define UNUSED_US (3600 * VEND_US_PER_S)    /* then it ends */
#define HALF_LIFE_US (3600 * VEND_US_PER_S) /* of a start, in what it counts for its zygote */
#define LOADING_US (600 * VEND_US_PER_S)    /* imports that take longer hang */
#define TRIAL_US (60 * VEND_US_PER_S)       /* of a snapshot, beside its setup */
#define RETRY_US (600 * VEND_US_PER_S)
#define MAX_TRIES 20 /* each finds one more module that is not fit */
#define MAX_LINE ((gsize) 4096)
#define MAX_TOLD ((gsize) 256 * 1024)

typedef enum
{
  KIND_IMPORTS,
  KIND_SNAPSHOT, /* after setup as well */
  N_KINDS,
} ZygoteKind;

typedef const char *const Said[N_KINDS];
static Said WAITING = { "its zygote is still being made", "its snapshot is still being made" };
static Said NO_ROOM = { "no memory is left for its zygote", "no memory is left for its snapshot" };
static Said TOO_LARGE = { "its zygote takes more memory than zygote-memory",
                          "its snapshot takes more memory than zygote-memory" };
static Said ENDED = { "its zygote ended", "its snapshot ended" };
static Said ENDED_EARLY
    = { "its zygote ended while it was being made", "its snapshot ended while it was being made" };
static Said UNUSED = { "its zygote was not used for long", "its snapshot was not used for long" };
static Said TOO_SLOW = { "its imports take too long", "its setup takes too long" };
static const char NOT_STARTED[] = "its zygote cannot be started";

typedef enum
{
  ZYGOTE_WAITING, /* for its turn to be made */
  ZYGOTE_LOADING,
  ZYGOTE_READY,
  ZYGOTE_ENDING, /* killed, not reaped yet */
  ZYGOTE_GONE,   /* remembered for why */
} ZygoteState;

static const char *const state_names[] = { "waiting", "loading", "ready", "ending", "gone" };

typedef struct
{
  VendZygotes *zygotes;
  VendZygoteSpec *spec;
  char *socket;
  char *orders; /* another one, of a zygote in a room */
  char *unfit;
  ZygoteState state;
  pid_t pid;
  pid_t maker; /* its own process, where `pid` is another one that waits for it; 0 = not told yet */
  pid_t first; /* of its room; 0 = none */
  int process; /* a pidfd of the zygote in there */
  int held;    /* keeps the room */
  char *life;  /* the room's address; NULL: it gets none */
  GString *told; /* lines for `unfit` */
  int guard;     /* of a snapshot: it ends when this is closed */
  int way_out;   /* of one in a room: who connects asks for a network */
  GSource *way_out_source;
  char *dir; /* of a snapshot, and of its trial */
  char *trial_dir;
  char *problem;     /* it is not fit, whenever it is made; NULL: it may be */
  bool forgotten;    /* nobody will ask for it any more; the next tick ends it */
  gint stops;        /* atomic: a trial need not go on */
  guint n_jobs;      /* on the disk pool */
  VendCgroup *group; /* NULL: none */
  int link;
  GSource *source; /* on `link` */
  GString *line;
  guint tries;
  bool again;      /* one more try once this one is reaped */
  char *why;       /* it cannot be used */
  uint64_t memory; /* 0 = not measured */
  double starts;   /* recent ones count more */
  int64_t saved_us;
  int64_t used_us;
  int64_t since_us; /* of its state */
} Zygote;

struct VendZygotes
{
  VendSched *sched;
  char *dir;
  char *scripts;
  char **read_only; /* folders that snapshots may not write to */
  uint64_t budget;
  GHashTable *all; /* key → Zygote (owned) */
  VendZygotesForked forked;
  GArray *rooms; /* of pid_t: children that wait for the ends of rooms whose zygotes have gone */
  guint n_made[N_KINDS]; /* being started, loading or being ended: at most one of a kind starts */
};

static void make_next (VendZygotes *zygotes);
static void end (Zygote *zygote, const char *why);

void
vend_zygote_spec_free (VendZygoteSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->key);
  g_free (spec->python);
  g_strfreev (spec->env);
  g_free (spec->imports);
  g_free (spec->model);
  g_free (spec->version);
  g_free (spec->source);
  g_free (spec->home);
  g_free (spec->zygote);
  g_strfreev (spec->links);
  g_free (spec);
}

static ZygoteKind
kind_of (const Zygote *zygote)
{
  return zygote->spec->version != NULL ? KIND_SNAPSHOT : KIND_IMPORTS;
}

static void
set_state (Zygote *zygote, ZygoteState state)
{
  zygote->state = state;
  zygote->since_us = vend_steady_us ();
}

static void
set_why (Zygote *zygote, const char *why)
{
  g_free (zygote->why);
  zygote->why = g_strdup (why);
}

static void
kill_and_wait (pid_t pid)
{
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

/* It leads nowhere, and the model would wait. */
static void
close_way_out (Zygote *zygote)
{
  vend_gsource_clear (&zygote->way_out_source);
  vend_fd_clear (&zygote->way_out);
}

static void
unlink_sockets (const Zygote *zygote)
{
  unlink (zygote->socket);
  if (zygote->orders != NULL)
    unlink (zygote->orders);
}

/* A room stays while there are instances in it: what waits for its end is reaped later. */
static void
kill_zygote (const Zygote *zygote, pid_t pid)
{
  if (zygote->first == 0)
    kill_and_wait (pid);
  else
    (void) syscall (SYS_pidfd_send_signal, zygote->process, SIGKILL, NULL, 0);
}

static void
leave_room (Zygote *zygote)
{
  vend_fd_clear (&zygote->held);
  if (zygote->life != NULL)
    unlink (zygote->life);
}

static void
remove_dirs (const Zygote *zygote)
{
  if (zygote->dir == NULL)
    return;
  vend_snapshot_dir_remove (zygote->dir);
  vend_snapshot_dir_remove (zygote->trial_dir);
}

static void
zygote_free (void *data)
{
  Zygote *zygote = data;
  vend_gsource_clear (&zygote->source);
  close_way_out (zygote);
  vend_fd_clear (&zygote->link);
  vend_fd_clear (&zygote->guard);
  /* One that is ending is reaped on the disk pool; its number may be somebody else's. */
  if (zygote->pid > 0 && zygote->state != ZYGOTE_ENDING)
    {
      leave_room (zygote);
      kill_zygote (zygote, zygote->pid);
      vend_fd_clear (&zygote->process);
      vend_zygote_group_remove (zygote->zygotes->dir, zygote->spec->key);
      remove_dirs (zygote);
    }
  vend_cgroup_free (zygote->group);
  leave_room (zygote);
  unlink_sockets (zygote);
  vend_zygote_spec_free (zygote->spec);
  g_string_free (zygote->told, TRUE);
  g_free (zygote->life);
  g_string_free (zygote->line, TRUE);
  g_free (zygote->socket);
  g_free (zygote->orders);
  g_free (zygote->unfit);
  g_free (zygote->dir);
  g_free (zygote->trial_dir);
  g_free (zygote->problem);
  g_free (zygote->why);
  g_free (zygote);
}

/* ---- What it is worth */

/* What its starts count for now. */
static double
recent_starts (const Zygote *zygote, int64_t now_us)
{
  const double age = (double) (now_us - zygote->used_us) / HALF_LIFE_US;
  return zygote->starts * exp2 (-MAX (age, 0));
}

static void
count_start (Zygote *zygote, int64_t now_us)
{
  zygote->starts = recent_starts (zygote, now_us) + 1;
  zygote->used_us = now_us;
}

/* Time spared an hour for each byte. */
static double
worth (const Zygote *zygote, int64_t now_us)
{
  return recent_starts (zygote, now_us) * (double) zygote->saved_us
         / (double) MAX (zygote->memory, 1);
}

static uint64_t
memory_taken (const VendZygotes *zygotes)
{
  GHashTableIter iter;
  void *value;
  uint64_t sum = 0;
  g_hash_table_iter_init (&iter, zygotes->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const Zygote *) value)->state == ZYGOTE_READY)
      sum += ((const Zygote *) value)->memory;
  return sum;
}

static Zygote *
least_worth (const VendZygotes *zygotes)
{
  const int64_t now_us = vend_steady_us ();
  GHashTableIter iter;
  void *value;
  Zygote *least = NULL;
  g_hash_table_iter_init (&iter, zygotes->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Zygote *zygote = value;
      if (zygote->state == ZYGOTE_READY
          && (least == NULL || worth (zygote, now_us) < worth (least, now_us)))
        least = zygote;
    }
  return least;
}

static void
keep_budget (VendZygotes *zygotes)
{
  while (memory_taken (zygotes) > zygotes->budget)
    {
      Zygote *zygote = least_worth (zygotes);
      g_autofree char *taken = g_strdup_printf ("%" G_GUINT64_FORMAT, zygote->memory);
      const ZygoteKind kind = kind_of (zygote);
      vend_log (VEND_LOG_INFO, "ending a zygote to stay within zygote-memory", "model",
                zygote->spec->model, "bytes", taken, NULL);
      end (zygote, zygote->memory > zygotes->budget ? TOO_LARGE[kind] : NO_ROOM[kind]);
    }
}

/* One that had to go comes back when it is worth more than what it would drive out. */
static bool
would_stay (const Zygote *zygote)
{
  const VendZygotes *zygotes = zygote->zygotes;
  const int64_t now_us = vend_steady_us ();
  if (zygote->memory > zygotes->budget)
    return false;
  const Zygote *least = least_worth (zygotes);
  return memory_taken (zygotes) + zygote->memory <= zygotes->budget
         || (least != NULL && worth (zygote, now_us) > worth (least, now_us));
}

/* ---- Its life */

typedef struct
{
  Zygote *zygote;
  pid_t pid;
  pid_t maker;
  VendZygoteProcess process; /* that was started */
  char *around_life;         /* of the room that a snapshot is made in */
  pid_t around_first;
  VendCgroup *group;
  uint64_t memory;
  bool was_loading;
  bool ran_out; /* of the memory that its group has */
  GError *error;
} Job;

static Job *
job_new (Zygote *zygote)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){
    .zygote = zygote,
    .pid = zygote->pid,
    .maker = zygote->maker,
    .process = VEND_ZYGOTE_PROCESS_NONE,
  };
  return job;
}

/* `done` frees the job. */
static void
run_job (Job *job, DiskWork work, DiskWork done)
{
  job->zygote->n_jobs++;
  vend_sched_on_disk (job->zygote->zygotes->sched, work, done, job);
}

static VendSnapshotOrder
snapshot_order (const Zygote *zygote)
{
  const VendZygotes *zygotes = zygote->zygotes;
  return (VendSnapshotOrder){ .scripts = zygotes->scripts,
                              .python = zygote->spec->python,
                              .env = zygote->spec->env,
                              .dir = zygote->dir,
                              .trial_dir = zygote->trial_dir,
                              .socket = zygote->socket,
                              .source = zygote->spec->source,
                              .read_only = zygotes->read_only,
                              .links = zygote->spec->links,
                              .working_copy = zygotes->sched->working_copy,
                              .group = zygote->group,
                              .life = zygote->life,
                              .first = zygote->first,
                              .user = zygote->spec->user,
                              .home = zygote->spec->home,
                              .has_proxy = zygote->spec->has_proxy };
}

/* Before the trial, whose processes share its memory. */
static void
measure (void *data)
{
  Job *job = data;
  const Zygote *zygote = job->zygote;
  job->memory = vend_zygote_memory (job->maker > 0 ? job->maker : job->pid);
  if (kind_of (zygote) == KIND_IMPORTS)
    return;
  const VendSnapshotOrder order = snapshot_order (zygote);
  if (!vend_snapshot_try (&order, &zygote->stops, &job->error))
    g_assert (job->error != NULL);
  vend_snapshot_dir_remove (zygote->trial_dir);
}

/* Once nothing on the disk pool uses it. */
static void
drop_group (Zygote *zygote)
{
  if (zygote->n_jobs == 0 && (zygote->state == ZYGOTE_GONE || zygote->state == ZYGOTE_WAITING))
    g_clear_pointer (&zygote->group, vend_cgroup_free);
}

static void
give_up (Zygote *zygote, const char *problem)
{
  g_free (zygote->problem);
  zygote->problem = g_strdup (problem);
  vend_log (VEND_LOG_INFO, "a version cannot start from a snapshot", "model", zygote->spec->model,
            "reason", problem, NULL);
}

static void
measured (void *data)
{
  g_autofree Job *job = data;
  g_autoptr (GError) error = job->error;
  Zygote *zygote = job->zygote;
  VendZygotes *zygotes = zygote->zygotes;
  zygote->n_jobs--;
  if (zygote->state != ZYGOTE_LOADING || zygote->pid != job->pid)
    {
      drop_group (zygote);
      make_next (zygotes);
      return;
    }
  if (error != NULL)
    {
      give_up (zygote, error->message);
      end (zygote, zygote->problem);
      return;
    }
  zygote->memory = job->memory;
  set_state (zygote, ZYGOTE_READY);
  zygotes->n_made[kind_of (zygote)]--;
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, job->memory);
  vend_log (VEND_LOG_INFO,
            kind_of (zygote) == KIND_SNAPSHOT ? "a snapshot is ready" : "a zygote is ready",
            "model", zygote->spec->model, "bytes", bytes, NULL);
  keep_budget (zygotes);
  make_next (zygotes);
}

/* What a zygote in a room cannot write itself. */
static void
keep_told (Zygote *zygote)
{
  vend_autofd fd = zygote->told->len > 0
                       ? open (zygote->unfit, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                       : -1;
  if (fd >= 0)
    (void) !vend_fd_write_all (fd, zygote->told->str, zygote->told->len, NULL);
  g_string_truncate (zygote->told, 0);
}

static void
reap (void *data)
{
  Job *job = data;
  uint64_t n = 0;
  Zygote *zygote = job->zygote;
  unlink_sockets (zygote);
  leave_room (zygote);
  kill_zygote (zygote, job->pid);
  keep_told (zygote);
  job->ran_out
      = job->was_loading && job->group != NULL && vend_cgroup_oom_kills (job->group, &n) && n > 0;
  vend_zygote_group_remove (zygote->zygotes->dir, zygote->spec->key);
  remove_dirs (zygote);
}

static void
reaped (void *data)
{
  g_autofree Job *job = data;
  Zygote *zygote = job->zygote;
  zygote->n_jobs--;
  if (zygote->first != 0)
    g_array_append_val (zygote->zygotes->rooms, job->pid);
  vend_fd_clear (&zygote->process);
  zygote->pid = 0;
  zygote->maker = 0;
  zygote->first = 0;
  if (job->ran_out)
    {
      vend_log (VEND_LOG_WARN, "a zygote passed zygote-memory while it was being made", "model",
                zygote->spec->model, NULL);
      /* How much more it takes is not known. */
      zygote->memory = zygote->zygotes->budget + 1;
      zygote->again = false;
      set_why (zygote, TOO_LARGE[kind_of (zygote)]);
    }
  set_state (zygote, zygote->again ? ZYGOTE_WAITING : ZYGOTE_GONE);
  zygote->again = false;
  drop_group (zygote);
  zygote->zygotes->n_made[kind_of (zygote)]--;
  make_next (zygote->zygotes);
}

/* `why` tells those who would have used it; NULL: it is made once more. */
static void
end (Zygote *zygote, const char *why)
{
  zygote->again = why == NULL;
  if (why != NULL)
    set_why (zygote, why);
  vend_gsource_clear (&zygote->source);
  close_way_out (zygote);
  vend_fd_clear (&zygote->link);
  vend_fd_clear (&zygote->guard);
  /* Of one that was loading it is counted already. */
  if (zygote->state == ZYGOTE_READY)
    zygote->zygotes->n_made[kind_of (zygote)]++;
  Job *job = job_new (zygote);
  job->was_loading = zygote->state == ZYGOTE_LOADING;
  g_atomic_int_set (&zygote->stops, 1);
  job->group = zygote->group;
  set_state (zygote, ZYGOTE_ENDING);
  run_job (job, reap, reaped);
}

/* "forked NAME" or "refused NAME WHY" */
static bool
is_told_of_fork (const Zygote *zygote, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  const bool forked = g_strcmp0 (words[0], "forked") == 0;
  if ((!forked && g_strcmp0 (words[0], "refused") != 0) || words[1] == NULL)
    return false;
  /* From a room directors tell, each of its own instance. */
  if (zygote->first != 0)
    return true;
  g_autofree char *valid = forked ? NULL : g_utf8_make_valid (words[2] != NULL ? words[2] : "", -1);
  zygote->zygotes->forked (zygote->zygotes->sched, words[1], valid);
  return true;
}

/* A snapshot's room has no way out, so its setup() would not do what it does in an instance. */
static bool
gave_up_network (Zygote *zygote)
{
  struct pollfd asked = { .fd = zygote->way_out, .events = POLLIN };
  if (zygote->way_out < 0 || poll (&asked, 1, 0) <= 0)
    return false;
  give_up (zygote, "its setup uses the network");
  end (zygote, zygote->problem);
  return true;
}

static void
on_snapshot_line (Zygote *zygote, const char *line)
{
  if (is_told_of_fork (zygote, line) || zygote->state != ZYGOTE_LOADING)
    return;
  if (g_str_has_prefix (line, "ready "))
    {
      /* In a room its number is another one, and known. */
      if (zygote->first == 0)
        zygote->maker = (pid_t) g_ascii_strtoll (line + strlen ("ready "), NULL, 10);
      if (gave_up_network (zygote))
        return;
      close_way_out (zygote);
      run_job (job_new (zygote), measure, measured);
    }
  else if (g_str_has_prefix (line, "unfit "))
    {
      g_autofree char *valid = g_utf8_make_valid (line + strlen ("unfit "), -1);
      give_up (zygote, valid);
    }
}

/* "MODULE WHY" */
static void
note_unfit (Zygote *zygote, const char *said)
{
  const gsize length = strcspn (said, " ");
  if (zygote->first != 0 && said[length] != '\0' && zygote->told->len < MAX_TOLD)
    g_string_append_printf (zygote->told, "%.*s\t%s\n", (int) length, said, said + length + 1);
}

static void
on_line (Zygote *zygote, const char *line)
{
  if (kind_of (zygote) == KIND_SNAPSHOT)
    on_snapshot_line (zygote, line);
  /* Forks share its memory, and it would be measured too small. */
  else if (strcmp (line, "ready") == 0 && zygote->state == ZYGOTE_LOADING)
    run_job (job_new (zygote), measure, measured);
  else if (g_str_has_prefix (line, "unfit "))
    {
      vend_log (VEND_LOG_INFO, "a module cannot be imported ahead", "model", zygote->spec->model,
                "module", line + strlen ("unfit "), NULL);
      note_unfit (zygote, line + strlen ("unfit "));
      zygote->again = zygote->tries < MAX_TRIES;
    }
}

static gboolean
on_link (int fd, GIOCondition condition, void *data)
{
  Zygote *zygote = data;
  char chunk[512];
  const ssize_t n = read (fd, chunk, sizeof chunk);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      const ZygoteKind kind = kind_of (zygote);
      const bool was_ready = zygote->state == ZYGOTE_READY;
      end (zygote, zygote->again             ? NULL
                   : zygote->problem != NULL ? zygote->problem
                   : was_ready               ? ENDED[kind]
                                             : ENDED_EARLY[kind]);
      return G_SOURCE_REMOVE;
    }
  for (ssize_t i = 0; i < n; i++)
    if (chunk[i] != '\n')
      {
        if (zygote->line->len < MAX_LINE)
          g_string_append_c (zygote->line, chunk[i]);
      }
    else
      {
        on_line (zygote, zygote->line->str);
        g_string_truncate (zygote->line, 0);
      }
  return G_SOURCE_CONTINUE;
}

static bool
start_process (const Zygote *zygote, Job *job)
{
  const VendZygotes *zygotes = zygote->zygotes;
  if (kind_of (zygote) == KIND_SNAPSHOT)
    {
      VendSnapshotOrder order = snapshot_order (zygote);
      order.group = job->group;
      order.around_life = job->around_life;
      order.around_first = job->around_first;
      return vend_snapshot_start (&order, &job->process, &job->error);
    }
  const VendZygoteOrder order = { .scripts = zygotes->scripts,
                                  .python = zygote->spec->python,
                                  .env = zygote->spec->env,
                                  .cwd = zygotes->dir,
                                  .socket = zygote->socket,
                                  .orders = zygote->orders,
                                  .imports = zygote->spec->imports,
                                  .unfit = zygote->unfit,
                                  .group = job->group,
                                  .life = zygote->life,
                                  .user = zygote->spec->user,
                                  .home = zygote->spec->home };
  return vend_zygote_start (&order, &job->process, &job->error);
}

static void
start (void *data)
{
  Job *job = data;
  const Zygote *zygote = job->zygote;
  const VendZygotes *zygotes = zygote->zygotes;
  if (!vend_zygote_group_make (zygotes->sched->cgroups, zygotes->dir, zygote->spec->key,
                               zygotes->budget, &job->group, &job->error))
    return;
  if (start_process (zygote, job))
    return;
  remove_dirs (zygote);
  g_clear_pointer (&job->group, vend_cgroup_free);
  vend_zygote_group_remove (zygotes->dir, zygote->spec->key);
}

static gboolean
on_way_out (int fd, GIOCondition condition, void *data)
{
  return gave_up_network (data) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
take_process (Zygote *zygote, const VendZygoteProcess *process)
{
  zygote->pid = process->pid;
  zygote->maker = process->zygote;
  zygote->first = process->first;
  zygote->process = process->process;
  zygote->held = process->life;
  zygote->link = process->link;
  zygote->guard = process->guard;
  zygote->way_out = process->way_out;
  g_unix_set_fd_nonblocking (zygote->link, TRUE, NULL);
  zygote->source = vend_fd_source_new (zygote->link, G_IO_IN | G_IO_HUP, on_link, zygote,
                                       zygote->zygotes->sched->core);
  if (zygote->way_out >= 0)
    zygote->way_out_source = vend_fd_source_new (zygote->way_out, G_IO_IN, on_way_out, zygote,
                                                 zygote->zygotes->sched->core);
}

static void
started (void *data)
{
  g_autofree Job *job = data;
  Zygote *zygote = job->zygote;
  zygote->n_jobs--;
  g_free (job->around_life);
  if (job->error != NULL)
    {
      vend_log (VEND_LOG_WARN, "cannot make a zygote", "model", zygote->spec->model, "error",
                job->error->message, NULL);
      set_why (zygote, kind_of (zygote) == KIND_SNAPSHOT ? job->error->message : NOT_STARTED);
      g_clear_error (&job->error);
      set_state (zygote, ZYGOTE_GONE);
      zygote->zygotes->n_made[kind_of (zygote)]--;
      make_next (zygote->zygotes);
      return;
    }
  zygote->group = job->group;
  take_process (zygote, &job->process);
}

/* The room that a snapshot is to be nested in: that of the zygote with its imports. */
static void
note_around (const Zygote *snapshot, Job *job)
{
  const char *key = snapshot->spec->zygote;
  const Zygote *zygote = key != NULL ? g_hash_table_lookup (snapshot->zygotes->all, key) : NULL;
  if (zygote == NULL || zygote->state != ZYGOTE_READY || zygote->first == 0)
    return;
  job->around_life = g_strdup (zygote->life);
  job->around_first = zygote->first;
}

/* A setup may take minutes, so imports do not wait for it. */
static void
make_next_of (VendZygotes *zygotes, ZygoteKind kind)
{
  GHashTableIter iter;
  void *value;
  Zygote *next = NULL;
  if (zygotes->n_made[kind] > 0 || zygotes->sched->draining)
    return;
  g_hash_table_iter_init (&iter, zygotes->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Zygote *zygote = value;
      if (zygote->state == ZYGOTE_WAITING && kind_of (zygote) == kind && zygote->n_jobs == 0
          && (next == NULL || zygote->since_us < next->since_us))
        next = zygote;
    }
  if (next == NULL)
    return;
  zygotes->n_made[kind]++;
  next->tries++;
  g_atomic_int_set (&next->stops, 0);
  set_state (next, ZYGOTE_LOADING);
  Job *job = job_new (next);
  note_around (next, job);
  run_job (job, start, started);
}

static void
make_next (VendZygotes *zygotes)
{
  make_next_of (zygotes, KIND_IMPORTS);
  make_next_of (zygotes, KIND_SNAPSHOT);
}

/* ---- All of them */

VendZygotes *
vend_zygotes_new (VendSched *sched, const char *dir, const char *scripts, uint64_t budget,
                  VendZygotesForked forked)
{
  VendZygotes *zygotes = g_new0 (VendZygotes, 1);
  zygotes->sched = sched;
  zygotes->dir = g_strdup (dir);
  zygotes->scripts = g_strdup (scripts);
  zygotes->read_only = g_new0 (char *, 3);
  zygotes->read_only[0] = g_build_filename (sched->data_dir, "versions", NULL);
  zygotes->read_only[1] = g_build_filename (sched->data_dir, "blobs", NULL);
  zygotes->budget = budget;
  zygotes->forked = forked;
  zygotes->rooms = g_array_new (FALSE, FALSE, sizeof (pid_t));
  zygotes->all = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, zygote_free);
  return zygotes;
}

void
vend_zygotes_free (VendZygotes *zygotes)
{
  if (zygotes == NULL)
    return;
  g_hash_table_unref (zygotes->all);
  g_array_unref (zygotes->rooms);
  g_free (zygotes->dir);
  g_free (zygotes->scripts);
  g_strfreev (zygotes->read_only);
  g_free (zygotes);
}

static int64_t
loading_us (const VendZygotes *zygotes, ZygoteKind kind)
{
  return kind == KIND_SNAPSHOT ? zygotes->sched->limits.setup_timeout_us + TRIAL_US : LOADING_US;
}

static void
reap_rooms (VendZygotes *zygotes)
{
  for (guint i = zygotes->rooms->len; i-- > 0;)
    if (waitpid (g_array_index (zygotes->rooms, pid_t, i), NULL, WNOHANG) != 0)
      g_array_remove_index_fast (zygotes->rooms, i);
}

void
vend_zygotes_tick (VendZygotes *zygotes)
{
  const int64_t now_us = vend_steady_us ();
  reap_rooms (zygotes);
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, zygotes->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Zygote *zygote = value;
      if (zygotes->sched->draining)
        g_atomic_int_set (&zygote->stops, 1);
      const ZygoteKind kind = kind_of (zygote);
      const bool is_unused = zygote->forgotten || now_us - zygote->used_us > UNUSED_US;
      const bool rests
          = zygote->state == ZYGOTE_GONE || (zygote->state == ZYGOTE_WAITING && zygote->forgotten);
      const bool is_loading = zygote->state == ZYGOTE_LOADING && zygote->pid > 0;
      if (rests && is_unused && zygote->n_jobs == 0)
        g_hash_table_iter_remove (&iter);
      else if ((zygote->state == ZYGOTE_READY && is_unused) || (is_loading && zygote->forgotten))
        end (zygote, UNUSED[kind]);
      else if (is_loading && now_us - zygote->since_us > loading_us (zygotes, kind))
        {
          if (kind == KIND_SNAPSHOT)
            give_up (zygote, TOO_SLOW[kind]);
          end (zygote, TOO_SLOW[kind]);
        }
    }
  make_next (zygotes);
}

void
vend_zygotes_request (VendZygotes *zygotes, VendZygoteSpec *take)
{
  g_autoptr (VendZygoteSpec) spec = take;
  Zygote *zygote = g_hash_table_lookup (zygotes->all, spec->key);
  const int64_t now_us = vend_steady_us ();
  if (zygote == NULL)
    {
      zygote = g_new0 (Zygote, 1);
      g_autofree char *name = g_strconcat (spec->key, VEND_ZYGOTE_SOCKET, NULL);
      zygote->zygotes = zygotes;
      zygote->socket = g_build_filename (zygotes->dir, name, NULL);
      if (spec->version != NULL)
        {
          zygote->dir = g_strconcat (zygotes->dir, "/", spec->key, VEND_SNAPSHOT_DIR, NULL);
          zygote->trial_dir = g_strconcat (zygotes->dir, "/", spec->key, VEND_TRIAL_DIR, NULL);
        }
      else
        zygote->unfit = g_strconcat (spec->imports, ".unfit", NULL);
      if (spec->has_room)
        zygote->life = g_strconcat (zygotes->dir, "/", spec->key, ".room", NULL);
      if (spec->has_room && spec->version == NULL)
        zygote->orders = g_strconcat (zygotes->dir, "/", spec->key, VEND_ORDERS_SOCKET, NULL);
      zygote->link = zygote->guard = zygote->process = zygote->held = zygote->way_out = -1;
      zygote->told = g_string_new (NULL);
      zygote->line = g_string_new (NULL);
      zygote->used_us = now_us;
      zygote->spec = g_steal_pointer (&spec);
      set_state (zygote, ZYGOTE_WAITING);
      g_hash_table_insert (zygotes->all, zygote->spec->key, zygote);
    }
  else if (zygote->state == ZYGOTE_GONE && zygote->problem == NULL
           && (zygote->memory > 0 ? would_stay (zygote) : now_us - zygote->since_us > RETRY_US))
    {
      zygote->tries = 0;
      set_state (zygote, ZYGOTE_WAITING);
    }
  make_next (zygotes);
}

const char *
vend_zygotes_use (VendZygotes *zygotes, const char *key, int64_t saved_us, const char **out_why)
{
  Zygote *zygote = g_hash_table_lookup (zygotes->all, key);
  *out_why = WAITING[KIND_IMPORTS];
  if (zygote == NULL)
    return NULL;
  *out_why = WAITING[kind_of (zygote)];
  zygote->forgotten = false;
  count_start (zygote, vend_steady_us ());
  zygote->saved_us = saved_us;
  if (zygote->state == ZYGOTE_READY)
    return zygote->socket;
  if (zygote->state >= ZYGOTE_ENDING && zygote->why != NULL)
    *out_why = zygote->why;
  return NULL;
}

json_t *
vend_zygotes_room (const VendZygotes *zygotes, const char *key)
{
  const Zygote *zygote = g_hash_table_lookup (zygotes->all, key);
  if (zygote == NULL || zygote->first == 0)
    return NULL;
  return json_pack ("{s:i, s:s, s:s?}", "first", (int) zygote->first, "life", zygote->life,
                    "folder", zygote->dir);
}

bool
vend_zygotes_know (const VendZygotes *zygotes, const char *key)
{
  return g_hash_table_contains (zygotes->all, key);
}

bool
vend_zygotes_is_ready (const VendZygotes *zygotes, const char *key)
{
  const Zygote *zygote = g_hash_table_lookup (zygotes->all, key);
  return zygote != NULL && zygote->state == ZYGOTE_READY;
}

void
vend_zygotes_forget (VendZygotes *zygotes, const char *key)
{
  Zygote *zygote = g_hash_table_lookup (zygotes->all, key);
  if (zygote != NULL)
    zygote->forgotten = true;
}

json_t *
vend_zygotes_describe (const VendZygotes *zygotes, bool snapshots)
{
  GHashTableIter iter;
  void *value;
  json_t *list = json_array ();
  g_hash_table_iter_init (&iter, zygotes->all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Zygote *zygote = value;
      if ((kind_of (zygote) == KIND_SNAPSHOT) != snapshots)
        continue;
      json_array_append_new (
          list,
          json_pack ("{s:s, s:s?, s:s, s:i, s:I, s:f, s:s, s:s?}", "model", zygote->spec->model,
                     "version", zygote->spec->version, "state", state_names[zygote->state], "pid",
                     (int) (zygote->maker > 0 ? zygote->maker : zygote->pid), "bytes",
                     (json_int_t) zygote->memory, "starts", zygote->starts, "socket",
                     zygote->socket, "why", zygote->why));
    }
  return list;
}
