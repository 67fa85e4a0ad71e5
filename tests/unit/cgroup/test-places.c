/* Where a process stands, on machines of several kinds. */
#include "cgroup/places.h"

typedef struct
{
  const char *name, *groups, *mounts;
  const char *memory, *cpu, *pids, *unified; /* NULL: none */
} Machine;

static const Machine machines[] = {
  { "v1, all below one folder",
    "12:pids:/user.slice/user-1000.slice\n"
    "5:cpu,cpuacct:/user.slice\n"
    "4:memory:/user.slice/user-1000.slice/session-1.scope\n"
    "1:name=systemd:/user.slice\n",
    "30 24 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:11 - cgroup cgroup rw,memory\n"
    "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:12 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 24 0:28 / /sys/fs/cgroup/cpuset rw,nosuid shared:13 - cgroup cgroup rw,cpuset\n"
    "33 24 0:29 / /sys/fs/cgroup/pids rw,nosuid shared:14 - cgroup cgroup rw,pids\n",
    "/sys/fs/cgroup/memory/user.slice/user-1000.slice/session-1.scope",
    "/sys/fs/cgroup/cpu,cpuacct/user.slice", "/sys/fs/cgroup/pids/user.slice/user-1000.slice",
    NULL },
  { "hybrid: memory of its own, the unified hierarchy beside it",
    "8:pids:/\n4:memory:/own/abc\n1:cpu:/\n0::/\n",
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
    "/sys/fs/cgroup/memory/own/abc", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids",
    "/sys/fs/cgroup/unified" },
  { "v2, a service of systemd", "0::/system.slice/vend.service\n",
    "26 23 0:24 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
    NULL, NULL, NULL, "/sys/fs/cgroup/system.slice/vend.service" },
  { "v2, in a container with a namespace", "0::/\n",
    "1700 1650 0:24 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n", NULL, NULL, NULL,
    "/sys/fs/cgroup" },
  { "v1, in a container without a namespace: the mount shows its own part",
    "4:memory:/docker/0123abcd\n3:pids:/docker/0123abcd\n",
    "700 650 0:32 /docker/0123abcd /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    "701 650 0:33 /docker/other /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
    "/sys/fs/cgroup/memory", NULL, NULL, NULL },
  { "v1, in a container, of the machine's mount", "4:memory:/docker/0123abcd\n",
    "700 650 0:32 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
    "/sys/fs/cgroup/memory/docker/0123abcd", NULL, NULL, NULL },
  { "outside of its namespace", "0::/../../elsewhere\n",
    "26 23 0:24 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", NULL, NULL, NULL, NULL },
  { "a folder with a space, and another whose name begins the same",
    "4:memory:/a b/c\n3:pids:/part2\n",
    "700 650 0:32 /a\\040b /mnt/my\\040groups rw - cgroup cgroup rw,memory\n"
    "701 650 0:33 /part /mnt/pids rw - cgroup cgroup rw,pids\n",
    "/mnt/my groups/c", NULL, NULL, NULL },
  { "a unified hierarchy at the root of the file system", "0::/x\n",
    "26 23 0:24 / / rw - cgroup2 none rw\n", NULL, NULL, NULL, "/x" },
  { "nothing is mounted", "4:memory:/\n0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", NULL, NULL,
    NULL, NULL },
  { "no groups in the kernel", "", "", NULL, NULL, NULL, NULL },
  { "damaged", "memory\n4:memory\n:::\n0:\n4:memory:relative\n",
    "700 650 - cgroup\n - \n700 650 0:32 / /sys rw - cgroup cgroup\n-\n", NULL, NULL, NULL, NULL },
};

static void
test_places (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (machines); i++)
    {
      const Machine *machine = &machines[i];
      g_auto (VendCgroupPlaces) places = { 0 };
      g_test_message ("%s", machine->name);
      vend_cgroup_places_read (machine->groups, machine->mounts, &places);
      g_assert_cmpstr (places.v1[VEND_CGROUP_MEMORY], ==, machine->memory);
      g_assert_cmpstr (places.v1[VEND_CGROUP_CPU], ==, machine->cpu);
      g_assert_cmpstr (places.v1[VEND_CGROUP_PIDS], ==, machine->pids);
      g_assert_cmpstr (places.v2, ==, machine->unified);
    }
}

static void
test_own (void)
{
  g_auto (VendCgroupPlaces) places = { 0 };
  g_assert_true (vend_cgroup_places_own (&places, NULL));
  if (places.v2 != NULL)
    g_assert_true (g_file_test (places.v2, G_FILE_TEST_IS_DIR));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/places/machines", test_places);
  g_test_add_func ("/places/own", test_own);
  return g_test_run ();
}
