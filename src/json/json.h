/* jansson with GError, limits and autoptrs. `json_auto_t` owns a reference. Any thread; a json_t
 * itself belongs to one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <jansson.h>

#include "json/number.h"
#include "json/parse.h"

/* Parses `size` bytes: vend_json_parse_as without options (json/parse.h). */
bool vend_json_parse (const char *text, gsize size, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Compact text: non-ASCII unescaped, members in order, numbers in the shortest form that reads back
 * the same, big integers (json/number.h) as their digits. NULL is written as "null". Free with
 * g_free. */
char *vend_json_text (const json_t *value) G_GNUC_WARN_UNUSED_RESULT;

/* The same for people: each member or item on its own line. */
char *vend_json_text_pretty (const json_t *value) G_GNUC_WARN_UNUSED_RESULT;

/* The same in JavaScript's form, 1.0 as 1: signed texts must survive a parse and print in
 * JavaScript. Integers keep their digits. `value` is not NULL. Free with g_free. */
char *vend_json_text_js (const json_t *value) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the compact text, without a final NUL. */
void vend_json_append (GByteArray *out, const json_t *value);

/* The same to a string. */
void vend_json_append_text (GString *out, const json_t *value);

/* The length of the compact text. */
gsize vend_json_size (const json_t *value);

/* Estimated memory of the value, which may be many times its text: [1,1,1]. 0 for NULL. */
gsize vend_json_memory (const json_t *value);

/* Whether the text is about as short as `bytes`. Costs no more than that, however large the value
 * is. */
bool vend_json_is_short (const json_t *value, gsize bytes);

/* Members of an object; NULL or the fallback when absent or of another type. Strings are borrowed.
 */
const char *vend_json_string (const json_t *object, const char *key);
int64_t vend_json_int (const json_t *object, const char *key, int64_t fallback);
double vend_json_double (const json_t *object, const char *key, double fallback);
bool vend_json_bool (const json_t *object, const char *key, bool fallback);

/* Sets a string member, or JSON null when `text` is NULL. Invalid UTF-8 is replaced, never lost. */
void vend_json_set_string (json_t *object, const char *key, const char *text);
/* RFC 3339, or JSON null for 0, the value of "not yet". */
void vend_json_set_time (json_t *object, const char *key, int64_t time_us);
void vend_json_set_int (json_t *object, const char *key, int64_t number);
void vend_json_set_bool (json_t *object, const char *key, bool value);

/* A JSON string of text that may not be valid UTF-8. */
json_t *vend_json_string_new (const char *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;
