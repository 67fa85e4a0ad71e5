/* The director's workspace: made, filled in a thread where a copy has to be made, then the model
 * starts in it. Main context. */
#include "base/clock.h"
#include "base/idmap.h"
#include "base/log.h"
#include "director/director-private.h"
#include "model/failure.h"

/* The thread has the job until its result is heard, also when the director no longer waits. */
struct VendDirectorCopy
{
  VendDirector *director; /* NULL: nobody waits */
  VendWorkspace *workspace;
  GCancellable *cancellable;
};

static void
copy_free (VendDirectorCopy *copy)
{
  vend_workspace_free (copy->workspace);
  g_object_unref (copy->cancellable);
  g_free (copy);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDirectorCopy, copy_free)

static void
fail_start (VendDirector *director, const GError *error)
{
  vend_director_set_state (director, VEND_DIRECTOR_FAILED, error->message,
                           VEND_FAILURE_SETUP_FAILED);
}

static void
copy_in_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const VendDirectorCopy *copy = data;
  GError *error = NULL;
  if (vend_workspace_copy (copy->workspace, cancellable, &error))
    g_task_return_boolean (task, true);
  else
    g_task_return_error (task, error);
}

static void
log_made (const VendDirector *director, const VendWorkspace *workspace)
{
  g_autofree char *ms = g_strdup_printf (
      "%.1f", (double) (g_get_monotonic_time () - director->boot_us) / VEND_US_PER_MS);
  vend_log (VEND_LOG_INFO, "working copy", "kind", vend_workspace_kind (workspace), "ms", ms,
            "no_overlay", vend_workspace_why_no_overlay (workspace), NULL);
  if (vend_workspace_why_no_mounts (workspace) != NULL)
    vend_log (VEND_LOG_WARN, "no private /tmp for the model, only TMPDIR", "reason",
              vend_workspace_why_no_mounts (workspace), NULL);
}

static bool
use (VendDirector *director, VendWorkspace *workspace, GError **error)
{
  director->workspace = workspace;
  log_made (director, workspace);
  return vend_director_spawn_model (director, error);
}

static void
on_copied (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (VendDirectorCopy) copy = data;
  g_autoptr (GError) error = NULL;
  VendDirector *director = copy->director;
  const bool copied = g_task_propagate_boolean (G_TASK (result), &error);
  if (director == NULL)
    return;
  director->copy = NULL;
  if (director->state != VEND_DIRECTOR_STARTING)
    return;
  if (!copied || !use (director, g_steal_pointer (&copy->workspace), &error))
    fail_start (director, error);
}

static void
start_copy (VendDirector *director, VendWorkspace *workspace)
{
  VendDirectorCopy *copy = g_new0 (VendDirectorCopy, 1);
  *copy = (VendDirectorCopy){ director, workspace, g_cancellable_new () };
  director->copy = copy;
  g_autoptr (GTask) task = g_task_new (NULL, copy->cancellable, on_copied, copy);
  g_task_set_task_data (task, copy, NULL);
  g_task_run_in_thread (task, copy_in_thread);
}

bool
vend_director_prepare (VendDirector *director, GError **error)
{
  const VendSpec *spec = director->spec;
  VendWorkspaceOptions options = { .dir = director->dir,
                                   .source = spec->source,
                                   .read_only = spec->read_only,
                                   .links = spec->links,
                                   .argv = spec->argv,
                                   .env = spec->env,
                                   .kind = spec->copy_kind,
                                   .is_bare = spec->isolation == VEND_ISOLATION_SANDBOX,
                                   .owner = spec->model_user,
                                   .idmap = -1 };
  VendWorkspace *workspace = NULL;
  if (!vend_director_check_isolation (spec, error)
      || (options.owner != 0 && !vend_idmap_new (options.owner, &options.idmap, error))
      || !vend_workspace_new (&options, &workspace, error))
    return false;
  if (!vend_workspace_wants_copy (workspace))
    return use (director, workspace, error);
  start_copy (director, workspace);
  return true;
}

void
vend_director_clear_workspace (VendDirector *director)
{
  VendDirectorCopy *copy = g_steal_pointer (&director->copy);
  if (copy != NULL)
    {
      copy->director = NULL;
      g_cancellable_cancel (copy->cancellable);
    }
  g_clear_pointer (&director->workspace, vend_workspace_free);
}
