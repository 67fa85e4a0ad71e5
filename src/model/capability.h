/* Capabilities: texts in URLs that only this installation can make, from their subject and a secret
 * key. They need no row in the store and outlive a restart. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_CAPABILITY_KEY_BYTES 32
#define VEND_CAPABILITY_LENGTH 32

/* Once, before any thread starts; without a key no capability is made or accepted. */
void vend_capability_set_key (const guint8 key[VEND_CAPABILITY_KEY_BYTES]);

/* 32 characters of [A-Za-z0-9_-]; `purpose` keeps the kinds apart. NULL without a key. Free with
 * g_free. */
char *vend_capability_new (const char *purpose, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Whether `given` is the capability; in constant time. */
bool vend_capability_fits (const char *purpose, const char *text, const char *given);
