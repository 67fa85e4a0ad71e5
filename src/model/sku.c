/* Kinds of hardware. Plain values. */
#include "model/sku.h"
#include "base/error.h"
#include "base/settings.h"
#include "model/hardware.h"
#include <string.h>

#define MAX_UNITS 10000
#define MAX_GPUS 64
#define MAX_CPUS 4096.0
#define LEAST_CPUS 0.01 /* the kernel's least quota */
#define LEAST_MEMORY (G_GUINT64_CONSTANT (16) << 20)
#define MAX_PROCESSES 4194304 /* the kernel's own limit */
/* The server and the system need the rest. */
#define DEFAULT_MEMORY_PERCENT 90

struct VendSkus
{
  GPtrArray *all; /* of VendSku */
  guint common_units;
};

static void
sku_free (void *data)
{
  VendSku *sku = data;
  g_free (sku->sku);
  g_free (sku->name);
  g_free (sku);
}

void
vend_skus_free (VendSkus *skus)
{
  if (skus == NULL)
    return;
  g_ptr_array_unref (skus->all);
  g_free (skus);
}

static VendSku *
find (const VendSkus *skus, const char *name)
{
  for (guint i = 0; i < skus->all->len; i++)
    {
      VendSku *sku = g_ptr_array_index (skus->all, i);
      if (g_strcmp0 (sku->sku, name) == 0)
        return sku;
    }
  return NULL;
}

static bool
read_number (const char *setting, const char *value, guint greatest, guint *out, GError **error)
{
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned (value, 10, 0, greatest, &number, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: '%.100s' is no whole number from 0 to %u",
                      setting, value, greatest);
  *out = (guint) number;
  return true;
}

static bool
read_units (const char *name, const char *value, void *data, GError **error)
{
  VendSkus *skus = data;
  VendSku *sku = find (skus, name);
  if (sku != NULL && sku->gpus > 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "hardware-units: '%s' has GPUs, and the machine has as many as it has", name);
  return read_number ("hardware-units", value, MAX_UNITS,
                      sku != NULL ? &sku->units : &skus->common_units, error);
}

static bool
read_gpus (const char *name, const char *value, void *data, GError **error)
{
  VendSku *sku = find (data, name);
  if (sku == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "hardware-gpus: expected 'sku=1', the GPUs of an instance");
  return read_number ("hardware-gpus", value, MAX_GPUS, &sku->gpus, error);
}

/* ---- Limits of an instance */

typedef struct
{
  VendSkus *skus;
  GHashTable *said; /* of VendSku with a value of its own */
  /* For all other SKUs. */
  uint64_t memory;
  double cpus;
  guint processes;
  bool is_common_said;
} Limits;

static bool
read_memory (const char *name, const char *value, void *data, GError **error)
{
  Limits *limits = data;
  uint64_t bytes = 0;
  if (!vend_size_parse (value, &bytes, error))
    {
      g_prefix_error (error, "hardware-memory: ");
      return false;
    }
  if (bytes != 0 && bytes < LEAST_MEMORY)
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "hardware-memory: '%.100s' is less than 16M, in which nothing runs; 0 is no limit", value);
  VendSku *sku = find (limits->skus, name);
  *(sku != NULL ? &sku->memory : &limits->memory) = bytes;
  g_hash_table_add (limits->said, sku);
  return true;
}

static bool
read_cpus (const char *name, const char *value, void *data, GError **error)
{
  Limits *limits = data;
  char *end = NULL;
  const double cpus = g_ascii_isdigit (*value) ? g_ascii_strtod (value, &end) : -1;
  if (end == NULL || *end != '\0' || strspn (value, "0123456789.") != strlen (value)
      || (cpus != 0 && !(cpus >= LEAST_CPUS && cpus <= MAX_CPUS)))
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "hardware-cpus: '%.100s' is no number from %g to %g such as 1.5, nor 0 for no limit", value,
        LEAST_CPUS, MAX_CPUS);
  VendSku *sku = find (limits->skus, name);
  *(sku != NULL ? &sku->cpus : &limits->cpus) = cpus;
  g_hash_table_add (limits->said, sku);
  return true;
}

static bool
read_processes (const char *name, const char *value, void *data, GError **error)
{
  Limits *limits = data;
  VendSku *sku = find (limits->skus, name);
  if (!read_number ("hardware-processes", value, MAX_PROCESSES,
                    sku != NULL ? &sku->processes : &limits->processes, error))
    return false;
  limits->is_common_said = limits->is_common_said || sku == NULL;
  if (sku != NULL)
    sku->processes_said = true;
  g_hash_table_add (limits->said, sku);
  return true;
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

static bool
read_limits (VendSkus *skus, const VendSkuTexts *texts, const json_t *list, GError **error)
{
  g_autoptr (GHashTable) memory = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) cpus = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) processes = g_hash_table_new (NULL, NULL);
  Limits limits = { .skus = skus,
                    .memory = texts->machine_memory / 100 * DEFAULT_MEMORY_PERCENT,
                    .processes = VEND_PROCESSES_DEFAULT };
  limits.said = memory;
  if (!vend_hardware_values ("hardware-memory", or_empty (texts->memory), list, read_memory,
                             &limits, error))
    return false;
  limits.said = cpus;
  if (!vend_hardware_values ("hardware-cpus", or_empty (texts->cpus), list, read_cpus, &limits,
                             error))
    return false;
  limits.said = processes;
  if (!vend_hardware_values ("hardware-processes", or_empty (texts->processes), list,
                             read_processes, &limits, error))
    return false;
  for (guint i = 0; i < skus->all->len; i++)
    {
      VendSku *sku = g_ptr_array_index (skus->all, i);
      if (!g_hash_table_contains (memory, sku))
        sku->memory = limits.memory;
      if (!g_hash_table_contains (cpus, sku))
        sku->cpus = limits.cpus;
      if (!g_hash_table_contains (processes, sku))
        sku->processes = limits.processes;
      sku->processes_said = sku->processes_said || limits.is_common_said;
    }
  return true;
}

bool
vend_skus_parse (const VendSkuTexts *texts, VendSkus **out, GError **error)
{
  json_auto_t *list = NULL;
  if (!vend_hardware_parse (texts->hardware, &list, error))
    return false;
  g_autoptr (VendSkus) skus = g_new0 (VendSkus, 1);
  skus->all = g_ptr_array_new_with_free_func (sku_free);
  size_t i;
  json_t *kind;
  json_array_foreach (list, i, kind)
    {
      VendSku *sku = g_new0 (VendSku, 1);
      sku->sku = g_strdup (vend_json_string (kind, "sku"));
      sku->name = g_strdup (vend_json_string (kind, "name"));
      g_ptr_array_add (skus->all, sku);
    }
  if (!vend_hardware_values ("hardware-gpus", texts->gpus, list, read_gpus, skus, error)
      || !vend_hardware_values ("hardware-units", texts->units, list, read_units, skus, error)
      || !read_limits (skus, texts, list, error))
    return false;
  *out = g_steal_pointer (&skus);
  return true;
}

guint
vend_skus_count (const VendSkus *skus)
{
  return skus->all->len;
}

const VendSku *
vend_skus_at (const VendSkus *skus, guint index)
{
  return g_ptr_array_index (skus->all, index);
}

const VendSku *
vend_skus_find (const VendSkus *skus, const char *sku)
{
  return find (skus, sku);
}

guint
vend_skus_common_units (const VendSkus *skus)
{
  return skus->common_units;
}

bool
vend_skus_have_gpus (const VendSkus *skus)
{
  for (guint i = 0; i < skus->all->len; i++)
    if (vend_skus_at (skus, i)->gpus > 0)
      return true;
  return false;
}

bool
vend_skus_limit_cpus (const VendSkus *skus)
{
  for (guint i = 0; i < skus->all->len; i++)
    if (vend_skus_at (skus, i)->cpus > 0)
      return true;
  return false;
}
