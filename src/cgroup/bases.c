/* Finds the control groups that can be made here, and prepares for them. Blocks on /sys. */
#include "cgroup/bases.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CONTROLLERS ((gsize) 4096)
#define SERVER_GROUP "vend-server"

/* Files without which a group of the controller limits nothing. */
static const char *const limit_files[VEND_CGROUP_N][2] = {
  { "memory.limit_in_bytes", "memory.max" },
  { "cpu.cfs_quota_us", "cpu.max" },
  { "pids.max", "pids.max" },
};

void
vend_cgroups_free (VendCgroups *cgroups)
{
  if (cgroups == NULL)
    return;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    g_free (cgroups->base[i].path);
  g_free (cgroups->why);
  g_free (cgroups);
}

VendCgroups *
vend_cgroups_none (const char *why)
{
  VendCgroups *cgroups = g_new0 (VendCgroups, 1);
  cgroups->why = g_strdup (why);
  return cgroups;
}

bool
vend_cgroups_have (const VendCgroups *cgroups, VendCgroupKind kind)
{
  return cgroups->base[kind].version > 0;
}

bool
vend_cgroups_have_all (const VendCgroups *cgroups, bool cpus)
{
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if ((cpus || i != VEND_CGROUP_CPU) && !vend_cgroups_have (cgroups, i))
      return false;
  return true;
}

bool
vend_cgroup_write (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  const ssize_t size = (ssize_t) strlen (text);
  vend_autofd fd = open (path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write (fd, text, (size_t) size) == size;
}

/* The first reason tells most. */
static void
blame (VendCgroups *cgroups, const char *what, const char *path, int saved_errno)
{
  if (cgroups->why == NULL)
    cgroups->why = g_strdup_printf ("%s '%s': %s", what, path, g_strerror (saved_errno));
}

/* Makes a group and checks that it can be limited. */
static bool
probe (VendCgroups *cgroups, VendCgroupKind kind, guint version, const char *base)
{
  g_autofree char *name = g_strdup_printf ("vend-probe-%d", (int) getpid ());
  g_autofree char *group = g_build_filename (base, name, NULL);
  g_autofree char *limit = g_build_filename (group, limit_files[kind][version - 1], NULL);
  g_autofree char *procs = g_build_filename (group, "cgroup.procs", NULL);
  if (mkdir (group, 0755) < 0 && errno != EEXIST)
    {
      blame (cgroups, "cannot make a group in", base, errno);
      return false;
    }
  const bool good = access (limit, W_OK) == 0 && access (procs, W_OK) == 0;
  if (!good)
    blame (cgroups, "cannot set", limit, errno);
  rmdir (group);
  return good;
}

static void
take (VendCgroups *cgroups, VendCgroupKind kind, guint version, const char *base)
{
  cgroups->base[kind].version = version;
  cgroups->base[kind].path = g_strdup (base);
}

/* ---- The unified hierarchy */

static bool
has_word (const char *folder, const char *file, const char *word)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_CONTROLLERS, &text, NULL, NULL))
    return false;
  g_auto (GStrv) words = g_strsplit_set (text, " \n", -1);
  return g_strv_contains ((const char *const *) words, word);
}

/* The root of the machine's hierarchy, which may hold processes besides groups. */
static bool
is_root (const char *folder)
{
  g_autofree char *type = g_build_filename (folder, "cgroup.type", NULL);
  return access (type, F_OK) < 0;
}

static bool
move_down (VendCgroups *cgroups, const char *base)
{
  g_autofree char *leaf = g_build_filename (base, SERVER_GROUP, NULL);
  if (mkdir (leaf, 0755) < 0 && errno != EEXIST)
    {
      blame (cgroups, "cannot make", leaf, errno);
      return false;
    }
  if (vend_cgroup_write (leaf, "cgroup.procs", "0"))
    return true;
  blame (cgroups, "cannot move into", leaf, errno);
  rmdir (leaf);
  return false;
}

static void
move_up (const char *base)
{
  g_autofree char *leaf = g_build_filename (base, SERVER_GROUP, NULL);
  if (vend_cgroup_write (base, "cgroup.procs", "0"))
    rmdir (leaf);
}

static bool
enable (VendCgroups *cgroups, const char *base, const char *controller)
{
  g_autofree char *word = g_strconcat ("+", controller, NULL);
  if (has_word (base, "cgroup.subtree_control", controller)
      || vend_cgroup_write (base, "cgroup.subtree_control", word))
    return true;
  blame (cgroups,
         errno == EBUSY ? "processes of others are in the server's group" : "cannot enable", base,
         errno);
  return false;
}

static bool
may_enable (VendCgroups *cgroups, const char *base)
{
  g_autofree char *control = g_build_filename (base, "cgroup.subtree_control", NULL);
  g_autofree char *procs = g_build_filename (base, "cgroup.procs", NULL);
  const bool may = access (control, W_OK) == 0 && access (procs, W_OK) == 0;
  if (!may)
    blame (cgroups, "cannot enable controllers in", base, errno);
  return may;
}

static void
find_v2 (VendCgroups *cgroups, const char *own, bool prepare, bool cpus)
{
  g_autofree char *name = g_path_get_basename (own);
  const bool is_below = strcmp (name, SERVER_GROUP) == 0;
  g_autofree char *base = is_below ? g_path_get_dirname (own) : g_strdup (own);
  bool wanted[VEND_CGROUP_N], any = false, done = false;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      wanted[i] = (cpus || i != VEND_CGROUP_CPU) && !vend_cgroups_have (cgroups, i)
                  && has_word (base, "cgroup.controllers", vend_cgroup_kind_name (i));
      any = any || wanted[i];
    }
  if (!any || !may_enable (cgroups, base))
    return;
  const bool moves = prepare && !is_below && !is_root (base);
  if (moves && !move_down (cgroups, base))
    return;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if (wanted[i]
        && (!prepare
            || (enable (cgroups, base, vend_cgroup_kind_name (i)) && probe (cgroups, i, 2, base))))
      {
        take (cgroups, i, 2, base);
        done = true;
      }
  if (moves && !done)
    move_up (base);
}

/* ---- All of it */

VendCgroups *
vend_cgroups_find_at (const VendCgroupPlaces *places, bool prepare, bool cpus)
{
  VendCgroups *cgroups = vend_cgroups_none (NULL);
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if ((cpus || i != VEND_CGROUP_CPU) && places->v1[i] != NULL
        && probe (cgroups, i, 1, places->v1[i]))
      take (cgroups, i, 1, places->v1[i]);
  if (places->v2 != NULL)
    find_v2 (cgroups, places->v2, prepare, cpus);
  guint n_missing = 0;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if ((cpus || i != VEND_CGROUP_CPU) && !vend_cgroups_have (cgroups, i))
      {
        n_missing++;
        if (cgroups->why == NULL)
          cgroups->why
              = g_strdup_printf ("the controller '%s' is not there", vend_cgroup_kind_name (i));
      }
  if (n_missing == 0)
    g_clear_pointer (&cgroups->why, g_free);
  return cgroups;
}

static VendCgroups *
find_own (bool prepare, bool cpus)
{
  g_auto (VendCgroupPlaces) places = { 0 };
  g_autoptr (GError) error = NULL;
  if (!vend_cgroup_places_own (&places, &error))
    return vend_cgroups_none (error->message);
  return vend_cgroups_find_at (&places, prepare, cpus);
}

VendCgroups *
vend_cgroups_detect (void)
{
  return find_own (false, true);
}

VendCgroups *
vend_cgroups_prepare (bool cpus)
{
  return find_own (true, cpus);
}

void
vend_cgroups_rouse (const VendCgroups *cgroups)
{
  g_auto (VendCgroupPlaces) places = { 0 };
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      if (!vend_cgroups_have (cgroups, i))
        continue;
      if (!vend_cgroup_places_own (&places, NULL))
        return;
      const char *own = cgroups->base[i].version == 1 ? places.v1[i] : places.v2;
      if (own != NULL)
        (void) !vend_cgroup_write (own, "cgroup.procs", "0");
      return;
    }
}

/* ---- As text */

char *
vend_cgroups_describe (const VendCgroups *cgroups)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint version = 1; version <= 2; version++)
    {
      g_autoptr (GString) names = g_string_new (NULL);
      for (guint i = 0; i < VEND_CGROUP_N; i++)
        if (cgroups->base[i].version == version)
          g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                                  vend_cgroup_kind_name (i));
      if (names->len > 0)
        g_string_append_printf (text, "%sv%u (%s)", text->len > 0 ? ", " : "cgroups ", version,
                                names->str);
    }
  if (text->len == 0)
    g_string_append (text, "no cgroups");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

json_t *
vend_cgroups_to_json (const VendCgroups *cgroups)
{
  json_t *object = json_object ();
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if (vend_cgroups_have (cgroups, i))
      {
        json_t *base = json_object ();
        vend_json_set_int (base, "version", cgroups->base[i].version);
        vend_json_set_string (base, "path", cgroups->base[i].path);
        json_object_set_new (object, vend_cgroup_kind_name (i), base);
      }
  return object;
}

VendCgroups *
vend_cgroups_from_json (const json_t *object)
{
  VendCgroups *cgroups = vend_cgroups_none (NULL);
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      const json_t *base = json_object_get (object, vend_cgroup_kind_name (i));
      const int64_t version = vend_json_int (base, "version", 0);
      const char *path = vend_json_string (base, "path");
      if ((version == 1 || version == 2) && path != NULL && *path == '/')
        take (cgroups, i, (guint) version, path);
    }
  return cgroups;
}
