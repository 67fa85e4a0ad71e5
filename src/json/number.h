/* Numbers of JSON texts. jansson's integers end at 2^63 - 1. An integer from there up to 2^64 - 1
 * is a string that no JSON text can make: it begins with a byte that UTF-8 does not have. It can be
 * used like any value, and is written as its digits. jansson's own writer refuses it, so only
 * json.h writes values of users. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <jansson.h>

#define VEND_JSON_INTEGERS "integers from -9223372036854775808 to 18446744073709551615"

/* Any integer that a model server passes exactly. */
json_t *vend_json_integer_new (uint64_t number) G_GNUC_WARN_UNUSED_RESULT;

bool vend_json_is_big (const json_t *value); /* an integer above INT64_MAX */
bool vend_json_is_integer (const json_t *value);
bool vend_json_is_number (const json_t *value);
/* False for a big integer, for which json_is_string is true. */
bool vend_json_is_string (const json_t *value);

/* The digits of a big integer, or NULL. Borrowed. */
const char *vend_json_big_digits (const json_t *value);

/* The nearest real; 0 for other values. */
double vend_json_number (const json_t *value);

/* -1, 0 or 1, exactly; both are numbers. */
int vend_json_compare (const json_t *a, const json_t *b);

/* json_equal, but with 1 and 1.0 equal at the top level. */
bool vend_json_same (const json_t *a, const json_t *b);

/* Whether `value` is a whole number within the range of integers; `*out` is then that integer, a
 * new reference. `out` may be NULL. */
bool vend_json_whole (const json_t *value, json_t **out);

/* The longest number with its NUL. */
#define VEND_JSON_NUMBER_SIZE 40

/* The number in `size` bytes of a JSON text, which follow the grammar. NULL when neither an integer
 * nor a real has the same digits, or the number is beyond the range of reals. A fraction or an
 * exponent makes it the nearest real. */
json_t *vend_json_number_parse (const char *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The shortest text that reads back as the same real, and as a real: 1.0. */
void vend_json_real_format (char buffer[VEND_JSON_NUMBER_SIZE], double number);
/* The same in JavaScript's form: 1. */
void vend_json_real_format_js (char buffer[VEND_JSON_NUMBER_SIZE], double number);
