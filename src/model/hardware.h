/* Names of kinds of hardware, from the setting `hardware`. Plain values. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* "cpu=CPU, gpu-x=Some GPU" as a list of {"sku", "name"}; a SKU alone is its own name. INVALID
 * names the error; an empty list is an error. */
bool vend_hardware_parse (const char *text, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool vend_hardware_has (const json_t *list, const char *sku);

/* "cpu, gpu-x" for sentences; free with g_free. */
char *vend_hardware_skus (const json_t *list) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one entry of a setting. False leaves the reason in `error`. */
typedef bool (*VendHardwareRead) (const char *sku, const char *value, void *data, GError **error);

/* The value of each SKU in the setting `setting`: "cpu=4,gpu-x=2". An entry without a SKU is read
 * with the SKU NULL and is common to the others. "" has no entries. `list` is that of
 * vend_hardware_parse. INVALID names the error. */
bool vend_hardware_values (const char *setting, const char *text, const json_t *list,
                           VendHardwareRead read, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
