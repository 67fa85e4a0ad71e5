/* The director's part in HOME: opened for the model, and watched. Main context. */
#include "base/log.h"
#include "director/director-private.h"

#define MIB ((double) (1 << 20))

bool
vend_director_open_home (VendDirector *director, GError **error)
{
  const VendSpec *spec = director->spec;
  const uid_t owner = spec->model_user != 0 ? spec->model_user : geteuid ();
  g_autofree char *aside = g_build_filename (director->dir, "home", NULL);
  if (director->home != NULL)
    return true;
  return vend_home_open (spec->home, aside, owner, &director->home, error);
}

static void
on_home_over (void *context)
{
  VendDirector *director = context;
  g_autoptr (GError) error = NULL;
  g_autofree char *why
      = g_strdup_printf ("the files in HOME take more than %.6g MiB (home-disk); the next instance "
                         "begins with an empty one",
                         (double) director->spec->max_home / MIB);
  if (!vend_home_set_aside (director->home, &error))
    vend_log (VEND_LOG_ERROR, "a HOME that is too large stays", "error", error->message, NULL);
  vend_director_disk_over (director, why);
}

void
vend_director_watch_home (VendDirector *director)
{
  if (director->home == NULL || director->spec->max_home == 0 || director->home_use != NULL)
    return;
  const char *const folders[] = { vend_home_folder (director->home), NULL };
  director->home_use
      = vend_disk_use_new (folders, director->spec->max_home, on_home_over, director);
  vend_disk_use_count_all (director->home_use);
  vend_disk_use_look (director->home_use);
}
