/* A runner whose directors are objects of this process. Records are of any thread, directors of the
 * main thread. */
#include "fake-runner.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fd-source.h"
#include "base/inbox.h"
#include "runner/frame.h"
#include "script-director.h"
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

typedef struct
{
  char *spec; /* NULL: its start was cut off */
  const char *boot;
  guint slots;
  bool alive;
  bool is_held;       /* stuck or silent, and not released */
  GPtrArray *results; /* texts */
} Record;

typedef struct
{
  VendRunner table; /* first */
  char *dir;
  GString *told;
  VendInbox *inbox;
  GHashTable *directors; /* id → Director (owned) */

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t released;
  char **boots;
  guint n_starts;
  bool keeps_all; /* nothing can be removed */
  GHashTable *records;
} FakeRunner;

typedef enum
{
  ACCEPTED,
  CLOSED,
  COMMAND,
} EventKind;

typedef struct
{
  EventKind kind;
  int fd;
  json_t *command;
} Event;

typedef struct
{
  FakeRunner *runner;
  char *id;
  VendLink *link; /* NULL: nobody is connected */
  ScriptDirector *script;
  GQueue events; /* of Event, not heard yet */
  bool is_paused;
  GSource *leaving;
} Director;

typedef struct
{
  FakeRunner *runner;
  char *id;
} Call;

static void
record_free (void *data)
{
  Record *record = data;
  g_free (record->spec);
  g_ptr_array_unref (record->results);
  g_free (record);
}

/* A copy of what is guarded; false when there is no such instance. */
static bool
look_up (FakeRunner *self, const char *id, Record *out)
{
  pthread_mutex_lock (&self->lock);
  const Record *record = g_hash_table_lookup (self->records, id);
  if (record != NULL)
    *out = (Record){ .boot = record->boot,
                     .slots = record->slots,
                     .alive = record->alive,
                     .is_held = record->is_held };
  pthread_mutex_unlock (&self->lock);
  return record != NULL;
}

static void
mark_dead (FakeRunner *self, const char *id)
{
  pthread_mutex_lock (&self->lock);
  Record *record = g_hash_table_lookup (self->records, id);
  if (record != NULL)
    record->alive = false;
  pthread_mutex_unlock (&self->lock);
}

/* On the main thread, soon. */
static void
post (FakeRunner *self, VendInboxCall function, const char *id)
{
  Call *call = g_new0 (Call, 1);
  *call = (Call){ self, g_strdup (id) };
  vend_inbox_post (self->inbox, function, call);
}

/* ---- Directors */

static void
event_free (void *data)
{
  Event *event = data;
  json_decref (event->command);
  vend_fd_clear (&event->fd);
  g_free (event);
}

static void
director_free (void *data)
{
  Director *director = data;
  vend_gsource_clear (&director->leaving);
  vend_link_free (director->link);
  script_director_free (director->script);
  g_queue_clear_full (&director->events, event_free);
  g_free (director->id);
  g_free (director);
}

static void
send_frame (json_t *take_frame, void *data)
{
  const Director *director = data;
  if (director->link != NULL)
    (void) vend_link_send (director->link, take_frame);
  else
    json_decref (take_frame);
}

static void
send_frame_later (json_t *take_frame, void *data)
{
  const Director *director = data;
  if (director->link != NULL)
    (void) vend_link_send_later (director->link, take_frame);
  else
    json_decref (take_frame);
}

static void
note (const char *line, void *data)
{
  g_string_append (((const Director *) data)->runner->told, line);
}

static void
keep (const json_t *completed, void *data)
{
  const Director *director = data;
  FakeRunner *self = director->runner;
  pthread_mutex_lock (&self->lock);
  Record *record = g_hash_table_lookup (self->records, director->id);
  g_ptr_array_add (record->results, vend_json_text (completed));
  pthread_mutex_unlock (&self->lock);
}

static gboolean
leave_when_told (void *data)
{
  Director *director = data;
  FakeRunner *self = director->runner;
  if (director->link != NULL && !vend_link_is_flushed (director->link))
    return G_SOURCE_CONTINUE;
  /* Nobody finds it alive after its connection has closed. */
  mark_dead (self, director->id);
  g_hash_table_remove (self->directors, director->id);
  return G_SOURCE_REMOVE;
}

static void
leave (ScriptEnd end, void *data)
{
  Director *director = data;
  if (director->leaving != NULL)
    return;
  director->leaving = g_idle_source_new ();
  g_source_set_callback (director->leaving, leave_when_told, director, NULL);
  g_source_attach (director->leaving, NULL);
}

static const ScriptHost host = { send_frame, send_frame_later, note, keep, leave };

static void handle (Director *director, Event *event);

/* A paused one hears it later. */
static void
hear_all (void *data)
{
  g_autofree Call *call = data;
  g_autofree char *id = call->id;
  Director *director = g_hash_table_lookup (call->runner->directors, id);
  while (director != NULL && !director->is_paused && director->events.length > 0)
    {
      Event *event = g_queue_pop_head (&director->events);
      handle (director, event);
      event_free (event);
    }
}

static void
tell (Director *director, EventKind kind, int fd, json_t *command)
{
  Event *event = g_new0 (Event, 1);
  *event = (Event){ kind, fd, command != NULL ? json_incref (command) : NULL };
  g_queue_push_tail (&director->events, event);
  post (director->runner, hear_all, director->id);
}

static void
on_frame (VendLink *link, json_t *frame, void *data)
{
  tell (data, COMMAND, -1, frame);
}

static void
on_closed (VendLink *link, const GError *error, void *data)
{
  Director *director = data;
  g_assert_no_error (error);
  g_clear_pointer (&director->link, vend_link_free);
  tell (director, CLOSED, -1, NULL);
}

static const VendLinkEvents link_events = { on_frame, on_closed };

static void
handle (Director *director, Event *event)
{
  if (event->kind == COMMAND)
    script_director_command (director->script, event->command);
  else if (event->kind == CLOSED)
    script_director_disconnected (director->script);
  else
    {
      /* One scheduler at a time, the newest wins. */
      if (director->link != NULL)
        {
          g_clear_pointer (&director->link, vend_link_free);
          script_director_disconnected (director->script);
        }
      director->link = vend_link_adopt (g_main_context_default (), vend_fd_steal (&event->fd),
                                        SCRIPT_FRAME_LIMIT, &link_events, director);
      script_director_connected (director->script);
    }
}

static Director *
director_of (FakeRunner *self, const char *id, const Record *record)
{
  Director *director = g_hash_table_lookup (self->directors, id);
  if (director != NULL)
    return director;
  director = g_new0 (Director, 1);
  director->runner = self;
  director->id = g_strdup (id);
  director->script = script_director_new (record->slots, record->boot, &host, director);
  g_hash_table_insert (self->directors, director->id, director);
  return director;
}

/* ---- Operations */

static guint
slots_of (const json_t *spec)
{
  return (guint) vend_json_int (spec, "slots", 1);
}

/* Locked. */
static const char *
next_boot (FakeRunner *self)
{
  const guint last = g_strv_length (self->boots) - 1;
  const guint n = self->n_starts++;
  return self->boots[MIN (n, last)];
}

static Record *
record_new (const char *spec, const char *boot)
{
  Record *record = g_new0 (Record, 1);
  record->spec = g_strdup (spec);
  record->boot = boot;
  record->results = g_ptr_array_new_with_free_func (g_free);
  return record;
}

static bool
start (VendRunner *runner, const char *id, const json_t *spec, GError **error)
{
  FakeRunner *self = (FakeRunner *) runner;
  g_autofree char *text = vend_json_text (spec);
  pthread_mutex_lock (&self->lock);
  const char *boot = next_boot (self);
  const bool is_refused = strcmp (boot, FAKE_BOOT_REFUSED) == 0;
  Record *record = record_new (text, boot);
  record->slots = slots_of (spec);
  record->alive = !is_refused && strcmp (boot, FAKE_BOOT_STILLBORN) != 0;
  record->is_held = strcmp (boot, FAKE_BOOT_STUCK) == 0 || strcmp (boot, FAKE_BOOT_SILENT) == 0;
  g_hash_table_insert (self->records, g_strdup (id), record);
  while (strcmp (boot, FAKE_BOOT_STUCK) == 0 && record->is_held)
    pthread_cond_wait (&self->released, &self->lock);
  pthread_mutex_unlock (&self->lock);
  return !is_refused || vend_fail (error, VEND_ERROR_RUNNER, "there is no room");
}

static bool
connect_to (VendRunner *runner, const char *id, GMainContext *context, gsize limit,
            const VendLinkEvents *events, void *context_data, VendLink **out, GError **error)
{
  FakeRunner *self = (FakeRunner *) runner;
  Record record;
  int pair[2];
  if (!look_up (self, id, &record) || !record.alive || record.is_held)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "nobody listens");
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  *out = vend_link_adopt (context, pair[0], limit, events, context_data);
  tell (director_of (self, id, &record), ACCEPTED, pair[1], NULL);
  return true;
}

static bool
is_alive (VendRunner *runner, const char *id)
{
  Record record;
  return look_up ((FakeRunner *) runner, id, &record) && record.alive;
}

static bool
is_preparing (VendRunner *runner, const char *id)
{
  return false;
}

static void
end_on_main (void *data)
{
  g_autofree Call *call = data;
  g_autofree char *id = call->id;
  g_hash_table_remove (call->runner->directors, id);
}

static void
end (VendRunner *runner, const char *id)
{
  FakeRunner *self = (FakeRunner *) runner;
  mark_dead (self, id);
  post (self, end_on_main, id);
}

static bool
read_results (VendRunner *runner, const char *id, VendRunnerResult found, void *data,
              GError **error)
{
  FakeRunner *self = (FakeRunner *) runner;
  pthread_mutex_lock (&self->lock);
  const Record *record = g_hash_table_lookup (self->records, id);
  g_assert_true (record != NULL && !record->alive);
  for (guint i = 0; i < record->results->len; i++)
    {
      const char *text = g_ptr_array_index (record->results, i);
      json_auto_t *completed = NULL;
      g_assert_true (vend_json_parse (text, strlen (text), &completed, NULL));
      found (completed, data);
    }
  pthread_mutex_unlock (&self->lock);
  return true;
}

static bool
remove_instance (VendRunner *runner, const char *id, GError **error)
{
  FakeRunner *self = (FakeRunner *) runner;
  pthread_mutex_lock (&self->lock);
  const bool keeps = self->keeps_all;
  if (!keeps)
    g_assert_true (g_hash_table_remove (self->records, id));
  pthread_mutex_unlock (&self->lock);
  return !keeps || vend_fail (error, VEND_ERROR_RUNNER, "something stays");
}

static bool
list (VendRunner *runner, VendRunnerFound found, void *data, GError **error)
{
  FakeRunner *self = (FakeRunner *) runner;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free); /* id, spec, id … */
  g_autoptr (GError) missing = NULL;
  GHashTableIter iter;
  void *id, *value;
  vend_fail (&missing, VEND_ERROR_NOT_FOUND, "its start was cut off");
  pthread_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->records);
  while (g_hash_table_iter_next (&iter, &id, &value))
    {
      g_ptr_array_add (all, g_strdup (id));
      g_ptr_array_add (all, g_strdup (((const Record *) value)->spec));
    }
  pthread_mutex_unlock (&self->lock);
  bool goes_on = true;
  for (guint i = 0; goes_on && i < all->len; i += 2)
    {
      const char *spec = g_ptr_array_index (all, i + 1);
      goes_on = found (g_ptr_array_index (all, i), spec, spec == NULL ? missing : NULL, data);
    }
  return true;
}

/* One process for each that lives. */
static GHashTable *
usage (VendRunner *runner)
{
  FakeRunner *self = (FakeRunner *) runner;
  GHashTable *all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  static const VendRunnerUsage one = { .processes = 1, .cpu_seconds = 0.5, .memory = 4096 };
  GHashTableIter iter;
  void *id, *value;
  pthread_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->records);
  while (g_hash_table_iter_next (&iter, &id, &value))
    if (((const Record *) value)->alive)
      g_hash_table_insert (all, g_strdup (id), g_memdup2 (&one, sizeof one));
  pthread_mutex_unlock (&self->lock);
  return all;
}

static void
processes (VendRunner *runner, VendRunnerSeen seen, void *data)
{
  g_autoptr (GHashTable) all = usage (runner);
  GHashTableIter iter;
  void *id;
  g_hash_table_iter_init (&iter, all);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    seen (&(VendRunnerProcess){ id, id, true, true, true }, data);
}

static bool
has_file (const VendRunner *runner, const char *path)
{
  return g_str_has_prefix (path, ((const FakeRunner *) runner)->dir);
}

static char *
folder (const VendRunner *runner, const char *id)
{
  return g_build_filename (((const FakeRunner *) runner)->dir, id, NULL);
}

/* ---- Life */

static void
free_runner (VendRunner *runner)
{
  FakeRunner *self = (FakeRunner *) runner;
  vend_inbox_free (self->inbox);
  g_hash_table_unref (self->directors);
  g_hash_table_unref (self->records);
  g_strfreev (self->boots);
  g_string_free (self->told, TRUE);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->released);
  g_free (self->dir);
  g_free (self);
}

VendRunner *
fake_runner_new (const char *dir, const char *boots)
{
  FakeRunner *self = g_new0 (FakeRunner, 1);
  self->table = (VendRunner){ .start = start,
                              .connect = connect_to,
                              .is_alive = is_alive,
                              .is_preparing = is_preparing,
                              .end = end,
                              .read_results = read_results,
                              .remove = remove_instance,
                              .list = list,
                              .usage = usage,
                              .processes = processes,
                              .has_file = has_file,
                              .folder = folder,
                              .free = free_runner };
  self->dir = g_strdup (dir);
  self->told = g_string_new (NULL);
  self->inbox = vend_inbox_new (g_main_context_default ());
  self->boots = g_strsplit (boots != NULL ? boots : SCRIPT_BOOT, "; ", -1);
  self->directors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, director_free);
  self->records = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, record_free);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->released, NULL);
  return &self->table;
}

/* ---- For tests */

const char *
fake_runner_told (const VendRunner *runner)
{
  return ((const FakeRunner *) runner)->told->str;
}

void
fake_runner_pause (VendRunner *runner, const char *id, bool pauses)
{
  FakeRunner *self = (FakeRunner *) runner;
  Director *director = g_hash_table_lookup (self->directors, id);
  g_assert_nonnull (director);
  director->is_paused = pauses;
  post (self, hear_all, id);
}

void
fake_runner_release (VendRunner *runner)
{
  FakeRunner *self = (FakeRunner *) runner;
  GHashTableIter iter;
  void *value;
  pthread_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->records);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    ((Record *) value)->is_held = false;
  pthread_cond_broadcast (&self->released);
  pthread_mutex_unlock (&self->lock);
}

void
fake_runner_add (VendRunner *runner, const char *id, const char *spec)
{
  FakeRunner *self = (FakeRunner *) runner;
  pthread_mutex_lock (&self->lock);
  g_hash_table_insert (self->records, g_strdup (id), record_new (spec, SCRIPT_BOOT));
  pthread_mutex_unlock (&self->lock);
}

void
fake_runner_let_remove (VendRunner *runner, bool lets)
{
  FakeRunner *self = (FakeRunner *) runner;
  pthread_mutex_lock (&self->lock);
  self->keeps_all = !lets;
  pthread_mutex_unlock (&self->lock);
}

guint
fake_runner_count (VendRunner *runner)
{
  FakeRunner *self = (FakeRunner *) runner;
  pthread_mutex_lock (&self->lock);
  const guint n = g_hash_table_size (self->records);
  pthread_mutex_unlock (&self->lock);
  return n;
}
