/* Identifiers and secrets, random from the kernel's generator. Any thread. */
#pragma once
#include <glib.h>

#define VEND_ID_LENGTH 26
#define VEND_VERSION_ID_LENGTH 64

/* 26 lower-case letters and digits: ids of predictions, builds, instances and the like. The first 9
 * are the time in milliseconds, so that consecutive rows are neighbours in an index; 88 random bits
 * follow. Clients accept any such string without '/'. Free with g_free. */
char *vend_id_new (void) G_GNUC_WARN_UNUSED_RESULT;

/* `prefix` followed by `length` random characters of [A-Za-z0-9]. Free with g_free. */
char *vend_secret_new (const char *prefix, gsize length) G_GNUC_WARN_UNUSED_RESULT;

/* Fills `buffer` with random bytes; aborts when the kernel gives none. */
void vend_random_bytes (void *buffer, gsize size);
