/* The kinds of hardware that may be named, from the setting `hardware`. Plain values. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* "cpu=CPU, gpu-x=Some GPU" as a list of {"sku", "name"}; a SKU alone is its own name. INVALID
 * names what is wrong, and an empty list is. */
bool vend_hardware_parse (const char *text, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool vend_hardware_has (const json_t *list, const char *sku);

/* "cpu, gpu-x" for sentences; free with g_free. */
char *vend_hardware_skus (const json_t *list) G_GNUC_WARN_UNUSED_RESULT;
