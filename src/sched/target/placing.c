/* Machines of instances. */
#include "sched/target/placing.h"
#include "policy/place.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include <string.h>

/* Sandboxes, and the root file systems of images, are made on this machine alone. */
static bool
may_leave (const VendSched *sched)
{
  return sched->machines != NULL && !sched->isolation_required
         && (sched->isolation == NULL || sched->isolation->kind == VEND_ISOLATION_NONE);
}

static bool
may_start_elsewhere (const Target *target)
{
  return may_leave (target->sched) && target->image == NULL;
}

static guint
used_on (const VendSched *sched, const char *machine)
{
  guint used = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Instance *instance = value;
      if (vend_pool_is_common (instance->target->pool)
          && g_strcmp0 (instance->machine, machine) == 0)
        used += instance->target->size;
    }
  return used;
}

/* This machine first, then `views`. `version` may be NULL. Of VendPlaceOption. */
static GArray *
options_of (const VendSched *sched, const GPtrArray *views, const char *version)
{
  GArray *options = g_array_new (FALSE, TRUE, sizeof (VendPlaceOption));
  VendPlaceOption here = { .units = sched->limits.hardware_units,
                           .used = used_on (sched, NULL),
                           .is_open = true,
                           .has_files = true };
  g_array_append_val (options, here);
  for (guint i = 0; i < views->len; i++)
    {
      const VendMachineView *view = g_ptr_array_index (views, i);
      VendPlaceOption option = {
        .units = view->units,
        .used = used_on (sched, view->name),
        .is_open = view->is_open,
        .has_files
        = version != NULL && vend_machines_has_version (sched->machines, view->name, version),
      };
      g_array_append_val (options, option);
    }
  return options;
}

/* The one that is being placed counts as one of this machine, and is not there yet. */
static void
leave_out (GArray *options, const Instance *instance)
{
  VendPlaceOption *here = &g_array_index (options, VendPlaceOption, 0);
  here->used -= MIN (here->used, instance->target->size);
}

/* What has to run here finds all units taken by what could run elsewhere. */
static void
make_room_here (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Instance *instance = value;
      if (instance->machine == NULL && instance->state == INSTANCE_READY
          && vend_pool_is_common (instance->target->pool) && may_start_elsewhere (instance->target)
          && g_hash_table_size (instance->running) == 0)
        {
          vend_instance_stop (instance, "a model that runs on this machine alone needs its place");
          return;
        }
    }
}

bool
vend_instance_place (Instance *instance)
{
  VendSched *sched = instance->sched;
  const Target *target = instance->target;
  if (!may_leave (sched) || !vend_pool_is_common (target->pool))
    return true;
  g_autoptr (GPtrArray) views = vend_machines_look (sched->machines);
  g_autoptr (GArray) options = options_of (sched, views, target->version);
  leave_out (options, instance);
  const gsize n = may_start_elsewhere (target) ? options->len : 1;
  const int place = vend_place ((const VendPlaceOption *) (void *) options->data, n, target->size);
  if (place < 0 && n == 1)
    make_room_here (sched);
  if (place > 0)
    instance->machine
        = g_strdup (((const VendMachineView *) g_ptr_array_index (views, (guint) place - 1))->name);
  return place >= 0;
}

guint
vend_placing_units (const VendSched *sched)
{
  if (!may_leave (sched))
    return sched->limits.hardware_units;
  g_autoptr (GPtrArray) views = vend_machines_look (sched->machines);
  g_autoptr (GArray) options = options_of (sched, views, NULL);
  return vend_place_units ((const VendPlaceOption *) (void *) options->data, options->len);
}

guint
vend_placing_room (const VendSched *sched)
{
  guint units = sched->limits.hardware_units;
  if (!may_leave (sched))
    return units;
  g_autoptr (GPtrArray) views = vend_machines_look (sched->machines);
  for (guint i = 0; i < views->len; i++)
    {
      const VendMachineView *view = g_ptr_array_index (views, i);
      units += view->is_open ? view->units : 0;
    }
  return units;
}

static const VendMachineView *
find_view (const GPtrArray *views, const char *name)
{
  for (guint i = 0; i < views->len; i++)
    if (strcmp (((const VendMachineView *) g_ptr_array_index (views, i))->name, name) == 0)
      return g_ptr_array_index (views, i);
  return NULL;
}

void
vend_placing_tick (VendSched *sched)
{
  if (sched->machines == NULL)
    return;
  g_autoptr (GPtrArray) views = vend_machines_look (sched->machines);
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Instance *instance = value;
      const VendMachineView *view
          = instance->machine != NULL ? find_view (views, instance->machine) : NULL;
      if (view != NULL && view->drains)
        vend_instance_drain (instance, "its machine is drained");
    }
}
