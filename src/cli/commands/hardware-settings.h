/* The settings `hardware` and `hardware-*`, for the server and for `vend doctor`. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/settings.h"
#include "model/sku.h"
#include "model/usage.h"

/* Where nobody names hardware it is what the machine has, which is set in `settings` as the
 * default. `gpus` is of VendGpu. INVALID names the setting and what is wrong in it. */
bool vend_hardware_settings_read (VendSettings *settings, const GPtrArray *gpus,
                                  VendSkus **out_skus, VendPrices **out_prices, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
