/* Groups and their limits, against plain files in place of the kernel's: each file that the kernel
 * would make with a group is made before. */
#include "base/error.h"
#include "base/fd.h"
#include "cgroup/group.h"
#include "cgroup/machine.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "abc123"

typedef struct
{
  char *root;
} Kernel;

static void
kernel_clear (Kernel *kernel)
{
  g_assert_true (vend_tree_remove (kernel->root, NULL));
  g_free (kernel->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Kernel, kernel_clear)

static void
put (const Kernel *kernel, const char *folder, const char *file, const char *text)
{
  g_autofree char *at = g_build_filename (kernel->root, folder, NULL);
  g_autofree char *path = g_build_filename (at, file, NULL);
  g_assert_cmpint (g_mkdir_with_parents (at, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
put_empty (const Kernel *kernel, const char *folder, const char *files)
{
  g_auto (GStrv) names = g_strsplit (files, " ", -1);
  for (guint i = 0; names[i] != NULL; i++)
    put (kernel, folder, names[i], "");
}

static char *
text_of (const Kernel *kernel, const char *path)
{
  g_autofree char *at = g_build_filename (kernel->root, path, NULL);
  char *text = NULL;
  return g_file_get_contents (at, &text, NULL, NULL) ? text : NULL;
}

static void
check (const Kernel *kernel, const char *path, const char *wanted)
{
  g_autofree char *text = text_of (kernel, path);
  g_test_message ("%s", path);
  g_assert_cmpstr (text, ==, wanted);
}

/* The group that is made to see whether one can be. */
static char *
probe (const char *folder)
{
  return g_strdup_printf ("%s/vend-probe-%d", folder, (int) getpid ());
}

static void
put_probe (const Kernel *kernel, const char *folder, const char *files)
{
  g_autofree char *at = probe (folder);
  put_empty (kernel, at, files);
}

static void
add_unified (const Kernel *kernel, const char *folder)
{
  put (kernel, folder, "cgroup.controllers", "cpuset cpu io memory pids\n");
  put_empty (kernel, folder, "cgroup.subtree_control cgroup.procs cgroup.type");
  put_probe (kernel, folder, "memory.max cpu.max pids.max cgroup.procs");
}

static VendCgroups *
find_unified (const Kernel *kernel, const char *folder, bool prepare)
{
  g_auto (VendCgroupPlaces) places = { .v2 = g_build_filename (kernel->root, folder, NULL) };
  return vend_cgroups_find_at (&places, prepare, true);
}

static void
test_v2_prepare (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  add_unified (&kernel, "own");
  put_empty (&kernel, "own/vend-server", "cgroup.procs");
  g_autoptr (VendCgroups) looked = find_unified (&kernel, "own", false);
  check (&kernel, "own/vend-server/cgroup.procs", "");
  check (&kernel, "own/cgroup.subtree_control", "");
  g_assert_true (vend_cgroups_have_all (looked, true));

  g_autoptr (VendCgroups) cgroups = find_unified (&kernel, "own", true);
  g_autofree char *text = vend_cgroups_describe (cgroups);
  g_autofree char *base = g_build_filename (kernel.root, "own", NULL);
  g_assert_cmpstr (text, ==, "cgroups v2 (memory, cpu, pids)");
  check (&kernel, "own/vend-server/cgroup.procs", "0");
  /* The kernel adds them up; in a plain file "+memory", "+cpu" and "+pids" lie over each other. */
  check (&kernel, "own/cgroup.subtree_control", "+pidsry");
  g_assert_cmpstr (cgroups->base[VEND_CGROUP_PIDS].path, ==, base);

  /* Started by somebody who is in there. */
  g_autoptr (VendCgroups) below = find_unified (&kernel, "own/vend-server", true);
  g_assert_cmpstr (below->base[VEND_CGROUP_MEMORY].path, ==, base);
}

/* A controller that nobody asked for is not missing, and hides none that is. */
static void
test_without_cpus (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  add_unified (&kernel, "own");
  put_empty (&kernel, "own/vend-server", "cgroup.procs");
  g_auto (VendCgroupPlaces) places = { .v2 = g_build_filename (kernel.root, "own", NULL) };
  g_autoptr (VendCgroups) cgroups = vend_cgroups_find_at (&places, true, false);
  g_autofree char *text = vend_cgroups_describe (cgroups);
  g_assert_cmpstr (text, ==, "cgroups v2 (memory, pids)");
  g_assert_null (cgroups->why);
  g_assert_true (vend_cgroups_have_all (cgroups, false));
  g_assert_false (vend_cgroups_have_all (cgroups, true));

  put (&kernel, "own", "cgroup.controllers", "cpuset cpu io memory\n");
  g_autoptr (VendCgroups) fewer = vend_cgroups_find_at (&places, true, false);
  g_assert_cmpstr (fewer->why, ==, "the controller 'pids' is not there");
  g_assert_false (vend_cgroups_have_all (fewer, false));
}

/* What stood in the way of one place says nothing when another one has it. */
static void
test_found_elsewhere (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  add_unified (&kernel, "own");
  put_empty (&kernel, "own/vend-server", "cgroup.procs");
  g_auto (VendCgroupPlaces) places
      = { .v2 = g_build_filename (kernel.root, "own", NULL),
          .v1[VEND_CGROUP_MEMORY] = g_build_filename (kernel.root, "not", "there", NULL) };
  g_autoptr (VendCgroups) cgroups = vend_cgroups_find_at (&places, true, true);
  g_assert_true (vend_cgroups_have_all (cgroups, true));
  g_assert_null (cgroups->why);
}

/* The root of the hierarchy holds processes beside groups. */
static void
test_v2_root (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  add_unified (&kernel, ".");
  g_autofree char *type = g_build_filename (kernel.root, "cgroup.type", NULL);
  g_assert_cmpint (unlink (type), ==, 0);
  g_autoptr (VendCgroups) cgroups = find_unified (&kernel, ".", true);
  g_autofree char *leaf = g_build_filename (kernel.root, "vend-server", NULL);
  g_assert_true (vend_cgroups_have_all (cgroups, true));
  g_assert_false (g_file_test (leaf, G_FILE_TEST_EXISTS));
}

/* The server goes back up when nothing can be enabled. */
static void
test_v2_refused (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  add_unified (&kernel, "own");
  put_empty (&kernel, "own/vend-server", "cgroup.procs");
  g_autofree char *probes = probe ("own");
  g_autofree char *at = g_build_filename (kernel.root, probes, NULL);
  g_assert_true (vend_tree_remove (at, NULL));
  g_autoptr (VendCgroups) cgroups = find_unified (&kernel, "own", true);
  g_autofree char *text = vend_cgroups_describe (cgroups);
  g_assert_cmpstr (text, ==, "no cgroups");
  g_assert_nonnull (strstr (cgroups->why, "memory.max"));
  check (&kernel, "own/cgroup.procs", "0");
}

static VendCgroups *
bases_of (const Kernel *kernel, guint version)
{
  VendCgroups *cgroups = vend_cgroups_none (NULL);
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      cgroups->base[i].version = version;
      cgroups->base[i].path
          = g_build_filename (kernel->root, version == 2 ? "all" : vend_cgroup_kind_name (i), NULL);
    }
  return cgroups;
}

static const VendCgroupLimits limits = { .memory = 512 << 20, .cpus = 1.5, .processes = 100 };

static void
test_v2_limits (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  g_autoptr (VendCgroups) bases = bases_of (&kernel, 2);
  g_autoptr (VendCgroup) group = NULL;
  put_empty (&kernel, "all/vend-" NAME,
             "cgroup.procs memory.max memory.swap.max memory.oom.group cpu.max pids.max");
  g_assert_true (vend_cgroup_make (bases, NAME, &limits, &group, NULL));
  check (&kernel, "all/vend-" NAME "/memory.max", "536870912");
  check (&kernel, "all/vend-" NAME "/memory.swap.max", "0");
  check (&kernel, "all/vend-" NAME "/memory.oom.group", "1");
  check (&kernel, "all/vend-" NAME "/cpu.max", "150000 100000");
  check (&kernel, "all/vend-" NAME "/pids.max", "100");
  g_assert_true (vend_cgroup_enter (group));
  check (&kernel, "all/vend-" NAME "/cgroup.procs", "0");

  uint64_t kills = 99;
  g_assert_false (vend_cgroup_oom_kills (group, &kills));
  put (&kernel, "all/vend-" NAME, "memory.events",
       "low 0\nhigh 0\nmax 9\noom 0\noom_kill 2\noom_group_kill 1\n");
  g_assert_true (vend_cgroup_oom_kills (group, &kills));
  g_assert_cmpuint (kills, ==, 2);
  g_assert_false (vend_cgroup_was_full (group));
  put (&kernel, "all/vend-" NAME, "memory.events", "low 0\nmax 9\noom 3\noom_kill 2\n");
  g_assert_true (vend_cgroup_was_full (group));

  put_empty (&kernel, "all/vend-" NAME, "cgroup.kill");
  vend_cgroup_kill (bases, NAME);
  check (&kernel, "all/vend-" NAME "/cgroup.kill", "1");
}

static void
test_v1_limits (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  g_autoptr (VendCgroups) bases = bases_of (&kernel, 1);
  g_autoptr (VendCgroup) group = NULL;
  put_empty (&kernel, "memory/vend-" NAME,
             "cgroup.procs memory.limit_in_bytes memory.memsw.limit_in_bytes");
  put_empty (&kernel, "cpu/vend-" NAME, "cgroup.procs cpu.cfs_period_us cpu.cfs_quota_us");
  put_empty (&kernel, "pids/vend-" NAME, "cgroup.procs pids.max");
  g_assert_true (vend_cgroup_make (bases, NAME, &limits, &group, NULL));
  check (&kernel, "memory/vend-" NAME "/memory.limit_in_bytes", "536870912");
  check (&kernel, "memory/vend-" NAME "/memory.memsw.limit_in_bytes", "536870912");
  check (&kernel, "cpu/vend-" NAME "/cpu.cfs_period_us", "100000");
  check (&kernel, "cpu/vend-" NAME "/cpu.cfs_quota_us", "150000");
  check (&kernel, "pids/vend-" NAME "/pids.max", "100");
  g_assert_true (vend_cgroup_enter (group));
  check (&kernel, "memory/vend-" NAME "/cgroup.procs", "0");
  check (&kernel, "cpu/vend-" NAME "/cgroup.procs", "0");
  check (&kernel, "pids/vend-" NAME "/cgroup.procs", "0");

  uint64_t kills = 0;
  put (&kernel, "memory/vend-" NAME, "memory.oom_control",
       "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  g_assert_true (vend_cgroup_oom_kills (group, &kills));
  g_assert_cmpuint (kills, ==, 7);
  put (&kernel, "memory/vend-" NAME, "memory.max_usage_in_bytes", "500000000\n");
  g_assert_false (vend_cgroup_was_full (group));
  put (&kernel, "memory/vend-" NAME, "memory.max_usage_in_bytes", "536866816\n");
  g_assert_true (vend_cgroup_was_full (group));

  /* "0" over "100". */
  vend_cgroup_kill (bases, NAME);
  check (&kernel, "pids/vend-" NAME "/pids.max", "000");
}

static void
test_refusals (void)
{
  static const char *const names[] = { "", "../x", "a/b", "A", "a-b" };
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  g_autoptr (VendCgroups) bases = bases_of (&kernel, 2);
  g_autofree char *all = g_build_filename (kernel.root, "all", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      VendCgroup *group = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_cgroup_make (bases, names[i], &limits, &group, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_RUNNER);
      g_assert_null (group);
    }

  /* A kernel without this limit: nothing stays. */
  VendCgroup *group = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (mkdir (all, 0755), ==, 0);
  g_assert_false (vend_cgroup_make (bases, NAME, &limits, &group, &error));
  g_assert_nonnull (strstr (error->message, "memory.max"));
  g_assert_cmpint (rmdir (all), ==, 0);
}

static void
test_nothing (void)
{
  g_autoptr (VendCgroups) bases = vend_cgroups_none ("because");
  g_autoptr (VendCgroup) group = NULL;
  uint64_t kills = 0;
  g_assert_true (vend_cgroup_make (bases, "Whatever it is", &limits, &group, NULL));
  g_assert_true (vend_cgroup_enter (group));
  g_assert_false (vend_cgroup_oom_kills (group, &kills));
  g_assert_false (vend_cgroup_was_full (group));
  g_assert_true (vend_cgroup_remove (bases, "Whatever it is", 0, NULL));
}

static void
test_json (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  g_autoptr (VendCgroups) bases = bases_of (&kernel, 1);
  json_auto_t *object = vend_cgroups_to_json (bases);
  json_object_del (object, "cpu");
  json_object_set_new (json_object_get (object, "pids"), "version", json_integer (3));
  g_autoptr (VendCgroups) again = vend_cgroups_from_json (object);
  g_assert_cmpstr (again->base[VEND_CGROUP_MEMORY].path, ==, bases->base[VEND_CGROUP_MEMORY].path);
  g_assert_cmpuint (again->base[VEND_CGROUP_MEMORY].version, ==, 1);
  g_assert_false (vend_cgroups_have (again, VEND_CGROUP_CPU));
  g_assert_false (vend_cgroups_have (again, VEND_CGROUP_PIDS));
  g_autoptr (VendCgroups) none = vend_cgroups_from_json (NULL);
  g_assert_false (vend_cgroups_have (none, VEND_CGROUP_MEMORY));
}

static void
test_memory_limit (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  put (&kernel, "top", "cgroup.controllers", "memory\n");
  put (&kernel, "top/mid", "cgroup.controllers", "memory\n");
  put (&kernel, "top/mid", "memory.max", "1073741824\n");
  put (&kernel, "top/mid/own", "cgroup.controllers", "memory\n");
  put (&kernel, "top/mid/own", "memory.max", "max\n");
  put (&kernel, "v1", "memory.stat", "cache 1\nhierarchical_memory_limit 536870912\nx 2\n");
  g_auto (VendCgroupPlaces) places = { .v2 = g_build_filename (kernel.root, "top/mid/own", NULL) };
  g_assert_cmpuint (vend_cgroup_memory_limit (&places), ==, 1 << 30);
  places.v1[VEND_CGROUP_MEMORY] = g_build_filename (kernel.root, "v1", NULL);
  g_assert_cmpuint (vend_cgroup_memory_limit (&places), ==, 512 << 20);
  g_auto (VendCgroupPlaces) nowhere = { 0 };
  g_assert_true (vend_cgroup_memory_limit (&nowhere) == G_MAXUINT64);
}

static void
test_cpu_limit (void)
{
  g_auto (Kernel) kernel = { g_dir_make_tmp ("vend-cgroup-XXXXXX", NULL) };
  put (&kernel, "top", "cgroup.controllers", "cpu\n");
  put (&kernel, "top", "cpu.max", "250000 100000\n");
  put (&kernel, "top/own", "cgroup.controllers", "cpu\n");
  put (&kernel, "top/own", "cpu.max", "max 100000\n");
  put (&kernel, "v1", "cpu.cfs_quota_us", "50000\n");
  put (&kernel, "v1", "cpu.cfs_period_us", "100000\n");
  put (&kernel, "v1/own", "cpu.cfs_quota_us", "-1\n");
  put (&kernel, "v1/own", "cpu.cfs_period_us", "100000\n");
  g_auto (VendCgroupPlaces) places = { .v2 = g_build_filename (kernel.root, "top/own", NULL) };
  g_assert_cmpfloat (vend_cgroup_cpu_limit (&places), ==, 2.5);
  places.v1[VEND_CGROUP_CPU] = g_build_filename (kernel.root, "v1/own", NULL);
  g_assert_cmpfloat (vend_cgroup_cpu_limit (&places), ==, 0.5);
  g_auto (VendCgroupPlaces) nowhere = { 0 };
  g_assert_true (vend_cgroup_cpu_limit (&nowhere) == G_MAXDOUBLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/groups/v2/prepare", test_v2_prepare);
  g_test_add_func ("/groups/without-cpus", test_without_cpus);
  g_test_add_func ("/groups/found-elsewhere", test_found_elsewhere);
  g_test_add_func ("/groups/v2/root", test_v2_root);
  g_test_add_func ("/groups/v2/refused", test_v2_refused);
  g_test_add_func ("/groups/v2/limits", test_v2_limits);
  g_test_add_func ("/groups/v1/limits", test_v1_limits);
  g_test_add_func ("/groups/refusals", test_refusals);
  g_test_add_func ("/groups/nothing", test_nothing);
  g_test_add_func ("/groups/json", test_json);
  g_test_add_func ("/groups/memory-limit", test_memory_limit);
  g_test_add_func ("/groups/cpu-limit", test_cpu_limit);
  return g_test_run ();
}
