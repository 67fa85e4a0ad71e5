/* What the core thread tells of its state: complete in numbers, bounded in lists, busiest first. */
#include "sched/target/target.h"
#include "sched/observe/status-private.h"
#include "base/clock.h"
#include "support/test-database.h"
#include <string.h>
#include <time.h>

#define NOW_US (1000 * VEND_US_PER_S)
#define N_INSTANCES 10000

typedef struct
{
  VendSched sched;
  VendSkus *skus;
  VendStore *store;
  char *dir;
} World;

static void
world_init (World *world)
{
  g_autoptr (GError) error = NULL;
  *world = (World){ 0 };
  world->dir = g_dir_make_tmp ("vend-status-XXXXXX", NULL);
  g_autofree char *path = test_database (world->dir);
  const VendStoreOptions options = { .path = path, .readers = 1 };
  g_assert_true (vend_store_open (&options, &world->store, &error));
  const VendSkuTexts texts = { "cpu=CPU,gpu=GPU", "64", "gpu=2" };
  g_assert_true (vend_skus_parse (&texts, &world->skus, &error));
  world->sched = (VendSched){
    .skus = world->skus,
    .store = world->store,
    .limits.hardware_units = 64,
    .gpus = g_ptr_array_new (),
    .targets = g_hash_table_new (g_str_hash, g_str_equal),
    .instances = g_hash_table_new (g_str_hash, g_str_equal),
  };
}

static void
world_clear (World *world)
{
  vend_store_free (world->store);
  vend_skus_free (world->skus);
  g_ptr_array_unref (world->sched.gpus);
  g_hash_table_unref (world->sched.targets);
  g_hash_table_unref (world->sched.instances);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", world->dir);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (world->dir);
}

static Target *
add_target (World *world, const char *name)
{
  Target *target = g_new0 (Target, 1);
  *target = (Target){ .sched = &world->sched,
                      .key = g_strdup (name),
                      .name = g_strdup (name),
                      .version = g_strdup ("v"),
                      .hardware = g_strdup ("cpu"),
                      .queue = vend_queue_new (),
                      .instances = g_ptr_array_new (),
                      .size = 1,
                      .slots = 2,
                      .max = 4 };
  g_hash_table_insert (world->sched.targets, target->key, target);
  return target;
}

static void
remove_target (Target *target)
{
  g_hash_table_remove (target->sched->targets, target->key);
  vend_queue_free (target->queue);
  g_ptr_array_unref (target->instances);
  g_free (target->key);
  g_free (target->name);
  g_free (target->version);
  g_free (target->hardware);
  g_free (target);
}

static Instance *
add_instance (Target *target, guint number, InstanceState state)
{
  Instance *instance = g_new0 (Instance, 1);
  *instance = (Instance){ .sched = target->sched,
                          .target = target,
                          .id = g_strdup_printf ("instance%05u", number),
                          .state = state,
                          .running = g_hash_table_new (g_str_hash, g_str_equal),
                          .slots = 2,
                          .created_us = NOW_US - 10 * VEND_US_PER_S };
  g_ptr_array_add (target->instances, instance);
  g_hash_table_insert (target->sched->instances, instance->id, instance);
  return instance;
}

static void
remove_instance (Instance *instance)
{
  g_hash_table_remove (instance->sched->instances, instance->id);
  g_hash_table_unref (instance->running);
  g_free (instance->id);
  g_free (instance);
}

static void
test_order (void)
{
  World world;
  world_init (&world);
  Target *quiet = add_target (&world, "lab/a");
  Target *warm = add_target (&world, "lab/b");
  Target *busy = add_target (&world, "lab/c");
  Instance *idle = add_instance (warm, 1, INSTANCE_READY);
  Instance *booting = add_instance (busy, 2, INSTANCE_BOOTING);
  Instance *working = add_instance (busy, 3, INSTANCE_READY);
  g_hash_table_add (working->running, (void *) "x");
  busy->n_running = 1;
  busy->boot_us = 2.5 * VEND_US_PER_S;
  /* Of two accounts; the older one waits behind the other. */
  VendPrediction predictions[] = { { .account_id = 1 }, { .account_id = 2 } };
  Run lives[] = { { .p = &predictions[0], .since_us = NOW_US - 3 * VEND_US_PER_S },
                  { .p = &predictions[1], .since_us = NOW_US - 7 * VEND_US_PER_S } };
  for (guint i = 0; i < 2; i++)
    vend_queue_push (busy->queue, predictions[i].account_id, &lives[i], &lives[i].place);

  json_auto_t *status = json_object ();
  g_autoptr (VendStatusView) view = vend_status_view (&world.sched, NOW_US);
  vend_status_describe (view, status);
  const json_t *queues = json_object_get (status, "queues");
  static const char *const order[] = { "lab/c", "lab/b", "lab/a" };
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (vend_json_string (json_array_get (queues, i), "model"), ==, order[i]);
  const json_t *first = json_array_get (queues, 0);
  g_assert_cmpint (vend_json_int (first, "waiting", -1), ==, 2);
  g_assert_cmpint (vend_json_int (first, "accounts_waiting", -1), ==, 2);
  g_assert_cmpfloat (vend_json_double (first, "oldest_wait_seconds", -1), ==, 7);
  g_assert_cmpfloat (vend_json_double (first, "boot_seconds", -1), ==, 2.5);
  g_assert_true (json_is_null (json_object_get (first, "run_seconds")));
  g_assert_cmpint (vend_json_int (first, "slots", -1), ==, 2);
  const json_t *instances = json_object_get (status, "instances");
  static const char *const states[] = { "ready", "booting", "ready" };
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (vend_json_string (json_array_get (instances, i), "state"), ==, states[i]);
  g_assert_cmpint (vend_json_int (json_array_get (instances, 0), "running", 0), ==, 1);
  g_assert_cmpfloat (vend_json_double (json_array_get (instances, 0), "age_seconds", 0), ==, 10);

  remove_instance (idle);
  remove_instance (booting);
  remove_instance (working);
  remove_target (quiet);
  remove_target (warm);
  remove_target (busy);
  world_clear (&world);
}

static int64_t
processor_us (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * VEND_US_PER_S + now.tv_nsec / 1000;
}

static void
test_bounds (void)
{
  World world;
  world_init (&world);
  g_autoptr (GPtrArray) targets = g_ptr_array_new ();
  g_autoptr (GPtrArray) instances = g_ptr_array_new ();
  for (guint i = 0; i < N_INSTANCES; i++)
    {
      g_autofree char *name = g_strdup_printf ("lab/model-%u", i);
      if (i % 5 == 0)
        g_ptr_array_add (targets, add_target (&world, name));
      Instance *instance = add_instance (g_ptr_array_index (targets, targets->len - 1), i,
                                         i % 2 == 0 ? INSTANCE_READY : INSTANCE_BOOTING);
      g_ptr_array_add (instances, instance);
    }
  /* The one that matters comes last by name and age. */
  Instance *last = g_ptr_array_index (instances, N_INSTANCES - 1);
  last->created_us = NOW_US;
  g_hash_table_add (last->running, (void *) "x");

  json_auto_t *status = json_object ();
  const int64_t began_us = processor_us ();
  g_autoptr (VendStatusView) view = vend_status_view (&world.sched, NOW_US);
  g_test_message ("%u instances copied in %" G_GINT64_FORMAT " us of the processor", N_INSTANCES,
                  processor_us () - began_us);
  vend_status_describe (view, status);
  const json_t *listed = json_object_get (status, "instances");
  g_assert_cmpuint (json_array_size (listed), ==, VEND_STATUS_MAX_INSTANCES);
  g_assert_cmpstr (vend_json_string (json_array_get (listed, 0), "id"), ==, last->id);
  g_assert_cmpint (vend_json_int (status, "instances_left_out", 0), ==,
                   N_INSTANCES - VEND_STATUS_MAX_INSTANCES);
  g_assert_cmpuint (json_array_size (json_object_get (status, "queues")), ==,
                    VEND_STATUS_MAX_QUEUES);
  g_assert_cmpint (vend_json_int (status, "queues_left_out", 0), ==,
                   N_INSTANCES / 5 - VEND_STATUS_MAX_QUEUES);
  const json_t *counts = json_object_get (json_object_get (status, "totals"), "instances");
  g_assert_cmpint (vend_json_int (counts, "ready", 0), ==, N_INSTANCES / 2);
  g_assert_cmpint (vend_json_int (counts, "booting", 0), ==, N_INSTANCES / 2);
  const json_t *kinds = json_object_get (status, "hardware");
  g_assert_cmpint (vend_json_int (json_array_get (kinds, 0), "used", 0), ==, N_INSTANCES);

  for (guint i = 0; i < instances->len; i++)
    remove_instance (g_ptr_array_index (instances, i));
  for (guint i = 0; i < targets->len; i++)
    remove_target (g_ptr_array_index (targets, i));
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/status/order", test_order);
  g_test_add_func ("/status/bounds", test_bounds);
  return g_test_run ();
}
