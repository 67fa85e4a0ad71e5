/* Results not acknowledged yet, as files. Writes run on the journal's own thread. */
#include "runner/journal.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/inbox.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MAX_ENTRY ((gsize) G_MAXINT32)
#define SUFFIX ".json"

struct VendJournal
{
  char *folder;
  VendInbox *inbox; /* of Job, written; back to the owner's context */
  VendJournalWritten written;
  void *data;
  GThread *thread;
  bool freed; /* owner's context only: no more callbacks */

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t work;
  GQueue jobs; /* of Job, not begun */
  bool closing;
};

typedef struct
{
  VendJournal *journal;
  char *key;
  char *text; /* NULL: remove */
  GError *error;
} Job;

static void
job_free (Job *job)
{
  g_free (job->key);
  g_free (job->text);
  g_clear_error (&job->error);
  g_free (job);
}

static char *
journal_folder (const char *dir)
{
  return g_build_filename (dir, "journal", NULL);
}

static char *
entry_path (const char *folder, const char *key)
{
  g_autofree char *name = g_strconcat (key, SUFFIX, NULL);
  return g_build_filename (folder, name, NULL);
}

char *
vend_journal_key (const char *prediction, int64_t attempt)
{
  return g_strdup_printf ("%s.%" G_GINT64_FORMAT, prediction, attempt);
}

static bool
discard (const char *folder, const char *key, GError **error)
{
  g_autofree char *path = entry_path (folder, key);
  if (unlink (path) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
  return true;
}

static void
deliver (void *user_data)
{
  Job *job = user_data;
  if (!job->journal->freed)
    job->journal->written (job->key, job->error, job->journal->data);
  job_free (job);
}

static void
run_job (Job *job)
{
  VendJournal *journal = job->journal;
  bool is_write = job->text != NULL;

  if (is_write)
    {
      g_autofree char *path = entry_path (journal->folder, job->key);
      (void) !vend_file_replace (path, job->text, strlen (job->text), 0600, &job->error);
      g_clear_pointer (&job->text, g_free);
    }
  else
    (void) !discard (journal->folder, job->key, &job->error);

  if (job->error != NULL)
    vend_log (VEND_LOG_ERROR, "journal entry failed", "key", job->key, "error", job->error->message,
              NULL);
  if (is_write && journal->written != NULL)
    vend_inbox_post (journal->inbox, deliver, job);
  else
    job_free (job);
}

/* The next job; NULL when there will be no more. */
static Job *
take_job (VendJournal *journal)
{
  pthread_mutex_lock (&journal->lock);
  while (journal->jobs.length == 0 && !journal->closing)
    pthread_cond_wait (&journal->work, &journal->lock);
  Job *job = g_queue_pop_head (&journal->jobs);
  pthread_mutex_unlock (&journal->lock);
  return job;
}

static void *
journal_main (void *data)
{
  for (Job *job; (job = take_job (data)) != NULL;)
    run_job (job);
  return NULL;
}

bool
vend_journal_open (const char *dir, GMainContext *context, VendJournalWritten written, void *data,
                   VendJournal **out, GError **error)
{
  g_autofree char *folder = journal_folder (dir);
  if (!vend_dir_ensure (folder, error) || !vend_dir_sync (dir, error))
    return false;

  VendJournal *journal = g_new0 (VendJournal, 1);
  journal->folder = g_steal_pointer (&folder);
  journal->inbox = vend_inbox_new (context);
  journal->written = written;
  journal->data = data;
  pthread_mutex_init (&journal->lock, NULL);
  pthread_cond_init (&journal->work, NULL);
  journal->thread = g_thread_try_new ("journal", journal_main, journal, error);
  if (journal->thread == NULL)
    {
      vend_journal_free (journal);
      return false;
    }
  *out = journal;
  return true;
}

void
vend_journal_free (VendJournal *journal)
{
  if (journal == NULL)
    return;
  pthread_mutex_lock (&journal->lock);
  journal->closing = true;
  pthread_cond_signal (&journal->work);
  pthread_mutex_unlock (&journal->lock);
  if (journal->thread != NULL)
    g_thread_join (journal->thread);
  journal->freed = true;
  vend_inbox_free (journal->inbox);
  pthread_mutex_destroy (&journal->lock);
  pthread_cond_destroy (&journal->work);
  g_free (journal->folder);
  g_free (journal);
}

static void
submit (VendJournal *journal, const char *key, char *text)
{
  Job *job = g_new0 (Job, 1);
  job->journal = journal;
  job->key = g_strdup (key);
  job->text = text;
  pthread_mutex_lock (&journal->lock);
  g_queue_push_tail (&journal->jobs, job);
  pthread_cond_signal (&journal->work);
  pthread_mutex_unlock (&journal->lock);
}

void
vend_journal_write (VendJournal *journal, const char *key, const json_t *completed)
{
  submit (journal, key, vend_json_text (completed));
}

void
vend_journal_remove (VendJournal *journal, const char *key)
{
  submit (journal, key, NULL);
}

static bool
read_entry (const char *path, json_t **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *entry = NULL;
  if (!vend_file_read (path, MAX_ENTRY, &text, &size, error)
      || !vend_json_parse (text, size, &entry, error))
    return false;
  if (!json_is_object (entry) || vend_json_string (entry, "prediction") == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "'%s' is not a completed event", path);
  *out = json_incref (entry);
  return true;
}

bool
vend_journal_read (const char *dir, const char *key, json_t **out, GError **error)
{
  g_autofree char *folder = journal_folder (dir);
  g_autofree char *path = entry_path (folder, key);
  return read_entry (path, out, error);
}

static void
scan_entry (const char *folder, const char *name, VendJournalFound found, void *data)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *key = g_strndup (name, strlen (name) - strlen (SUFFIX));
  json_auto_t *entry = NULL;
  g_autoptr (GError) error = NULL;
  if (read_entry (path, &entry, &error))
    {
      found (key, entry, data);
      return;
    }
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return;
  g_autofree char *bad = g_strconcat (path, ".bad", NULL);
  vend_log (VEND_LOG_ERROR, "damaged journal entry set aside", "path", bad, "error", error->message,
            NULL);
  (void) !rename (path, bad);
}

bool
vend_journal_scan (const char *dir, VendJournalFound found, void *data, GError **error)
{
  g_autofree char *folder = journal_folder (dir);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) listing = g_dir_open (folder, 0, &problem);
  if (listing == NULL && g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return true;
  if (listing == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);

  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    if (g_str_has_suffix (name, SUFFIX))
      scan_entry (folder, name, found, data);
  return true;
}
