/* Groups of zygotes and the files that remember them, against plain files in place of the kernel's.
 * A group that still has files is one that the kernel does not let go of yet. */
#include "base/error.h"
#include "base/fd.h"
#include "zygote/zygote-group.h"
#include <string.h>
#include <unistd.h>

#define KEY "0123abcd"
#define MEMORY (G_GUINT64_CONSTANT (300) << 20)

static const char *const kernel_files[]
    = { "memory.max", "memory.swap.max", "pids.max", "cgroup.procs", NULL };

typedef struct
{
  char *dir;   /* of zygotes */
  char *base;  /* of groups */
  char *group; /* the folder in it */
  char *record;
  VendCgroups *bases;
} World;

static void
world_clear (World *world)
{
  g_assert_true (vend_tree_remove (world->dir, NULL));
  g_assert_true (vend_tree_remove (world->base, NULL));
  vend_cgroups_free (world->bases);
  g_free (world->dir);
  g_free (world->base);
  g_free (world->group);
  g_free (world->record);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (World, world_clear)

static World
world_new (void)
{
  World world = { .dir = g_dir_make_tmp ("vend-zygotes-XXXXXX", NULL),
                  .base = g_dir_make_tmp ("vend-groups-XXXXXX", NULL),
                  .bases = vend_cgroups_none (NULL) };
  world.group = g_build_filename (world.base, "vend-" KEY, NULL);
  world.record = g_build_filename (world.dir, KEY ".groups", NULL);
  return world;
}

static void
add_controllers (World *world)
{
  const VendCgroupKind kinds[] = { VEND_CGROUP_MEMORY, VEND_CGROUP_PIDS };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    world->bases->base[kinds[i]] = (VendCgroupBase){ .version = 2, .path = g_strdup (world->base) };
}

static void
each_file (const World *world, bool there)
{
  g_assert_cmpint (g_mkdir_with_parents (world->group, 0755), ==, 0);
  for (guint i = 0; kernel_files[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (world->group, kernel_files[i], NULL);
      g_assert_true (there ? g_file_set_contents (path, "", -1, NULL) : unlink (path) == 0);
    }
}

static void
check (const World *world, const char *name, const char *wanted)
{
  g_autofree char *path = g_build_filename (world->group, name, NULL);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, wanted);
}

static bool
exists (const char *path)
{
  return access (path, F_OK) == 0;
}

static void
test_none (void)
{
  g_auto (World) world = world_new ();
  VendCgroup *group = (VendCgroup *) &world;
  g_assert_true (vend_zygote_group_make (world.bases, world.dir, KEY, MEMORY, &group, NULL));
  g_assert_null (group);
  g_assert_false (exists (world.record));
  vend_zygote_group_remove (world.dir, KEY);
}

static void
test_refused (void)
{
  g_auto (World) world = world_new ();
  g_autoptr (VendCgroup) group = NULL;
  g_autoptr (GError) error = NULL;
  add_controllers (&world);
  /* A group without the files of its limits. */
  g_assert_false (vend_zygote_group_make (world.bases, world.dir, KEY, MEMORY, &group, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_RUNNER);
  g_assert_false (exists (world.record) || exists (world.group));
}

static void
test_life (void)
{
  g_auto (World) world = world_new ();
  g_autoptr (VendCgroup) group = NULL;
  add_controllers (&world);
  each_file (&world, true);
  g_assert_true (vend_zygote_group_make (world.bases, world.dir, KEY, MEMORY, &group, NULL));
  g_assert_nonnull (group);
  check (&world, "memory.max", "314572800");
  check (&world, "memory.swap.max", "0");
  check (&world, "pids.max", "4096");
  g_assert_true (exists (world.record));

  /* What cannot be removed is remembered; a server of any control groups does it then. */
  vend_zygote_group_remove (world.dir, KEY);
  g_assert_true (exists (world.record) && exists (world.group));
  each_file (&world, false);
  vend_zygote_groups_sweep (world.dir);
  g_assert_false (exists (world.record) || exists (world.group));
}

static void
test_damaged (void)
{
  g_auto (World) world = world_new ();
  g_assert_true (g_file_set_contents (world.record, "{\"memory\": ", -1, NULL));
  vend_zygote_groups_sweep (world.dir);
  g_assert_false (exists (world.record));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/zygote-group/none", test_none);
  g_test_add_func ("/zygote-group/refused", test_refused);
  g_test_add_func ("/zygote-group/life", test_life);
  g_test_add_func ("/zygote-group/damaged", test_damaged);
  return g_test_run ();
}
