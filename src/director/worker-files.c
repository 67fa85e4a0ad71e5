/* Files that a run on a slot makes: they are taken at once, since the model may write to the same
 * file again. Large ones are copied by a thread, and the slot says nothing more until that is done.
 * Main context. */
#include "base/error.h"
#include "base/fd.h"
#include "files/file-name.h"
#include "director/worker-server.h"
#include "model/failure.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <limits.h>
#include <string.h>

#define COPIED_AT_ONCE ((gsize) 256 * 1024)

/* What a piece was made of. */
typedef struct
{
  struct stat stat;
  char *sha256;
} Taken;

struct VendWorkerFile
{
  VendWorkerCall *call; /* NULL: nobody waits for it */
  VendOutputFileTaking taking;
  char *path;
  char *name;
  char *target;
};

static void
taken_free (void *data)
{
  Taken *taken = data;
  g_free (taken->sha256);
  g_free (taken);
}

static void
file_free (VendWorkerFile *file)
{
  vend_fd_clear (&file->taking.fd);
  g_free ((char *) file->taking.type);
  g_free (file->path);
  g_free (file->name);
  g_free (file->target);
  g_free (file);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWorkerFile, file_free)

/* ---- Opening. */

/* The model's own working directory; it may have changed that. */
static char *
working_directory (const VendWorkerServer *server)
{
  char path[PATH_MAX];
  g_autofree char *link = g_strdup_printf ("/proc/%d/cwd", (int) server->pid);
  const ssize_t n = readlink (link, path, sizeof path - 1);
  if (n <= 0)
    return g_build_filename (server->base.options.dir, "work", "src", NULL);
  path[n] = '\0';
  return g_strdup (path);
}

static bool
open_file (const VendWorkerCall *call, const char *path, int *out_fd, struct stat *out_stat,
           GError **error)
{
  g_autofree char *cwd = g_path_is_absolute (path) ? NULL : working_directory (call->server);
  const VendModelRoot root = { call->server->root_fd, call->server->base.options.spec->model_user };
  return vend_output_file_open (&root, cwd, path, out_fd, out_stat, error);
}

static void
end_unreadable (VendWorkerCall *call, const GError *error)
{
  const bool is_large = g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  /* It may have removed the file on its way out. */
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_RUNNER)
      && vend_worker_has_ended (call->server))
    {
      vend_execution_end_lost (call->execution,
                               "the model's process ended before its output file was taken");
      return;
    }
  const bool is_ours = g_error_matches (error, VEND_ERROR, VEND_ERROR_STORAGE)
                       || g_error_matches (error, VEND_ERROR, VEND_ERROR_NO_SPACE);
  vend_execution_end_early (call->execution,
                            is_ours ? "an output file could not be stored" : error->message,
                            is_large  ? VEND_FAILURE_OUTPUT_TOO_LARGE
                            : is_ours ? VEND_FAILURE_OUTPUT_UPLOAD_FAILED
                                      : NULL);
}

/* ---- JSON that was too long for a frame. */

static void
take_spilled (VendWorkerCall *call, const char *path)
{
  const gsize limit = (gsize) call->execution->env->spec->max_output;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *output = NULL;
  vend_autofd fd = -1;
  struct stat st;
  if (!open_file (call, path, &fd, &st, &error))
    {
      end_unreadable (call, error);
      return;
    }
  if ((uint64_t) st.st_size > limit || !vend_fd_read_all (fd, path, limit, &text, &size, &error))
    {
      vend_execution_end_too_large (call->execution);
      return;
    }
  json_t *converted = NULL;
  if (!vend_output_parse (text, size, &output, &error))
    vend_execution_end_early (call->execution, error->message, NULL);
  else if (vend_execution_convert (call->execution, output, &converted))
    vend_worker_call_add (call, converted, size);
}

/* ---- Files. */

/* Pieces that were made of the same, unchanged file: the first may have been written over before it
 * was taken, and then it is the second. */
static bool
was_taken_before (VendWorkerCall *call, const VendWorkerFile *file, const char *sha256)
{
  if (call->taken == NULL)
    call->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, taken_free);
  const Taken *last = g_hash_table_lookup (call->taken, file->path);
  const struct stat *now = &file->taking.before;
  const bool is_same = last != NULL && last->stat.st_ino == now->st_ino
                       && last->stat.st_dev == now->st_dev
                       && last->stat.st_ctim.tv_sec == now->st_ctim.tv_sec
                       && last->stat.st_ctim.tv_nsec == now->st_ctim.tv_nsec
                       && g_strcmp0 (last->sha256, sha256) == 0;
  Taken *taken = g_new0 (Taken, 1);
  *taken = (Taken){ *now, g_strdup (sha256) };
  g_hash_table_insert (call->taken, g_strdup (file->path), taken);
  return is_same;
}

static void
take_file_object (VendWorkerCall *call, const VendWorkerFile *file, json_t *object)
{
  const char *sha256 = vend_json_string (json_object_get (object, "$vend.file"), "sha256");
  if (!call->execution->env->iterates || !was_taken_before (call, file, sha256))
    {
      vend_worker_call_add (call, object, vend_json_size (object));
      return;
    }
  json_decref (object);
  unlink (file->target);
  g_autofree char *text
      = g_strdup_printf ("the output file '%s' was yielded again before it had been taken: give "
                         "each piece a file of its own",
                         file->path);
  vend_execution_end_early (call->execution, text, NULL);
}

static void
take_in_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const VendWorkerFile *file = data;
  json_t *object = NULL;
  GError *error = NULL;
  if (vend_output_file_take (&file->taking, &object, &error))
    g_task_return_pointer (task, object, (GDestroyNotify) json_decref);
  else
    g_task_return_error (task, error);
}

static void
on_taken (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (VendWorkerFile) file = data;
  g_autoptr (GError) error = NULL;
  json_t *object = g_task_propagate_pointer (G_TASK (result), &error);
  VendWorkerCall *call = file->call;
  if (call == NULL)
    {
      if (object != NULL)
        unlink (file->target);
      json_decref (object);
      return;
    }
  call->taking = NULL;
  VendWorkerSlot *slot = call->slot;
  if (object == NULL)
    end_unreadable (call, error);
  else
    take_file_object (call, file, object);
  if (slot->channel != NULL)
    vend_slot_channel_hold (slot->channel, false);
}

/* The counting name of one that the worker itself wrote says nothing; a model's own does. */
static char *
name_for_people (const VendWorkerCall *call, const char *path, guint number)
{
  g_autofree char *name = vend_file_name_clean (path);
  g_autofree char *folder = g_path_get_dirname (path);
  if (g_strcmp0 (folder, call->slot->folder.path) != 0)
    return g_steal_pointer (&name);
  const char *dot = strrchr (name, '.');
  const char *extension = dot != NULL ? dot : "";
  return number == 0 ? g_strconcat ("output", extension, NULL)
                     : g_strdup_printf ("output-%u%s", number, extension);
}

static VendWorkerFile *
file_new (VendWorkerCall *call, const char *path, const char *type)
{
  VendOutputFiles *files = &call->execution->files;
  const guint number = files->n_files++;
  VendWorkerFile *file = g_new0 (VendWorkerFile, 1);
  file->call = call;
  file->path = g_strdup (path);
  file->name = name_for_people (call, path, number);
  g_autofree char *disk_name = g_strdup_printf ("%s.%u", files->prefix, number);
  file->target = g_build_filename (files->folder, disk_name, NULL);
  file->taking = (VendOutputFileTaking){ .fd = -1,
                                         .path = file->path,
                                         .name = file->name,
                                         .type = g_strdup (type),
                                         .target = file->target,
                                         .max_size = files->max_file,
                                         .must_stay = call->execution->env->iterates };
  return file;
}

void
vend_worker_call_take_file (VendWorkerCall *call, const json_t *message)
{
  const char *path = vend_json_string (message, "filename");
  if (vend_slot_message_is_spilled (message))
    {
      take_spilled (call, path);
      return;
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (VendWorkerFile) file = file_new (call, path, vend_json_string (message, "mime_type"));
  if (!open_file (call, path, &file->taking.fd, &file->taking.before, &error))
    {
      end_unreadable (call, error);
      return;
    }
  const bool waits = file->taking.must_stay && vend_output_file_is_written (file->taking.fd);
  if (waits || (gsize) file->taking.before.st_size > COPIED_AT_ONCE)
    {
      call->taking = file;
      vend_slot_channel_hold (call->slot->channel, true);
      g_autoptr (GTask) task = g_task_new (NULL, NULL, on_taken, file);
      g_task_set_task_data (task, g_steal_pointer (&file), NULL);
      g_task_run_in_thread (task, take_in_thread);
      return;
    }
  json_t *object = NULL;
  if (vend_output_file_take (&file->taking, &object, &error))
    take_file_object (call, file, object);
  else
    end_unreadable (call, error);
}

void
vend_worker_call_forget_files (VendWorkerCall *call)
{
  if (call->taking != NULL)
    call->taking->call = NULL;
  call->taking = NULL;
}
