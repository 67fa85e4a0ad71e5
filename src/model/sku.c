/* What each kind of hardware is. Plain values. */
#include "model/sku.h"
#include "base/error.h"
#include "model/hardware.h"

#define MAX_UNITS 10000
#define MAX_GPUS 64

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
      || !vend_hardware_values ("hardware-units", texts->units, list, read_units, skus, error))
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
