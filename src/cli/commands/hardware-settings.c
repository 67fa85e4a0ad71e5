/* The settings of hardware. */
#include "cli/commands/hardware-settings.h"
#include "hardware/machine.h"
#include "hardware/nvml.h"
#include "model/hardware.h"

static bool
set_default (VendSettings *settings, const GPtrArray *gpus, GError **error)
{
  if (*vend_settings_text (settings, "hardware") != '\0')
    return true;
  if (gpus->len == 0)
    return vend_settings_set (settings, "hardware", "cpu=CPU", "default", error);
  const VendGpu *first = g_ptr_array_index (gpus, 0);
  g_autofree char *name = g_strdelimit (g_strdup (first->name), ",=", ' ');
  g_autofree char *kinds = g_strdup_printf ("cpu=CPU,gpu=%s", name);
  return vend_settings_set (settings, "hardware", kinds, "default", error)
         && (*vend_settings_text (settings, "hardware-gpus") != '\0'
             || vend_settings_set (settings, "hardware-gpus", "gpu=1", "default", error));
}

bool
vend_hardware_settings_read (VendSettings *settings, const GPtrArray *gpus, VendSkus **out_skus,
                             VendPrices **out_prices, GError **error)
{
  if (!set_default (settings, gpus, error))
    return false;
  const VendSkuTexts texts = { .hardware = vend_settings_text (settings, "hardware"),
                               .units = vend_settings_text (settings, "hardware-units"),
                               .gpus = vend_settings_text (settings, "hardware-gpus"),
                               .memory = vend_settings_text (settings, "hardware-memory"),
                               .cpus = vend_settings_text (settings, "hardware-cpus"),
                               .processes = vend_settings_text (settings, "hardware-processes"),
                               .machine_memory = vend_machine_memory () };
  json_auto_t *hardware = NULL;
  g_autoptr (VendSkus) skus = NULL;
  if (!vend_skus_parse (&texts, &skus, error)
      || !vend_hardware_parse (texts.hardware, &hardware, error)
      || !vend_prices_parse (vend_settings_text (settings, "hardware-price"), hardware, out_prices,
                             error))
    return false;
  *out_skus = g_steal_pointer (&skus);
  return true;
}
