/* JSON texts: what is read, what is refused and in which words, and that numbers keep their digits.
 */
#include "base/error.h"
#include "json/json.h"
#include <float.h>
#include <math.h>
#include <string.h>

static json_t *
parsed (const char *text)
{
  json_t *value = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &value, &error));
  g_assert_no_error (error);
  return value;
}

static void
test_numbers (void)
{
  /* Read, and as it is written again. */
  static const struct
  {
    const char *text, *written;
  } good[] = {
    { "0", "0" },
    { "-0", "0" },
    { "-0.0", "-0.0" },
    { "9223372036854775807", "9223372036854775807" },
    { "9223372036854775808", "9223372036854775808" },
    { "18446744073709551557", "18446744073709551557" },
    { "18446744073709551615", "18446744073709551615" },
    { "-9223372036854775807", "-9223372036854775807" },
    { "-9223372036854775808", "-9223372036854775808" },
    /* Beyond these a real has the same digits, as JavaScript writes them, or nothing has. */
    { "18446744073709552000", "1.8446744073709552e+19" },
    { "100000000000000000000", "1e+20" },
    { "-9223372036854776000", "-9.223372036854776e+18" },
    { "0.1", "0.1" },
    { "1e22", "1e+22" },
    { "1E22", "1e+22" },
    { "1e+2", "100.0" },
    { "1.5e-3", "0.0015" },
    { "0.1234567890123456789", "0.12345678901234568" },
    { "0.30000000000000004", "0.30000000000000004" },
    { "0.10000000149011612", "0.10000000149011612" },
    { "123456789012345.6", "123456789012345.6" },
    { "1234567890123456.7", "1234567890123456.8" },
    { "999999999999999.0", "999999999999999.0" },
    { "1000000000000000.0", "1e+15" },
    { "0.0001", "0.0001" },
    { "0.00001", "1e-05" },
    { "1.7976931348623157e308", "1.7976931348623157e+308" },
    { "2.2250738585072014e-308", "2.2250738585072014e-308" },
    { "5e-324", "5e-324" },
    { "1e-400", "0.0" },
    { "0.000000000000000000000000000001", "1e-30" },
    { "1.0000000000000000000000000000000000000000000000000000000000000000000001", "1.0" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      json_auto_t *value = parsed (good[i].text);
      g_autofree char *text = vend_json_text (value);
      g_assert_cmpstr (text, ==, good[i].written);
      g_assert_cmpuint (vend_json_size (value), ==, strlen (text));
      json_auto_t *again = parsed (text);
      g_assert_true (json_equal (value, again));
      g_assert_true (vend_json_same (value, again));
    }
}

#define RANGE "numbers are integers from -9223372036854775808 to 18446744073709551615, and reals"

static void
test_bad (void)
{
  static const struct
  {
    const char *text;
    VendError code;
    const char *message;
  } bad[] = {
    { "", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 1: unexpected end, expected a value" },
    { "{\n\"a\":}", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 2 column 5: expected a value" },
    { "[1,]", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 4: expected a value" },
    { "{\"a\":1,}", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 8: expected a member's name in quotes" },
    { "{} {}", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 4: expected the end" },
    { "nul", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 1: expected a value" },
    { "NaN", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 1: expected a value" },
    { "-Infinity", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 2: expected a digit" },
    { "01", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 2: expected the end" },
    { "1.", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 3: unexpected end, expected a digit" },
    { "[1.e2]", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 4: expected a digit" },
    { "+1", VEND_ERROR_BAD_REQUEST, "malformed JSON at line 1 column 1: expected a value" },
    { "\"\xff\"", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 3: the string before is not valid UTF-8" },
    { "\"\xff"
      "18446744073709551615\"",
      VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 23: the string before is not valid UTF-8" },
    { "\"a\nb\"", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 3: a control character is not escaped" },
    { "\"\\x\"", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 3: expected one of \"\\/bfnrtu after a backslash" },
    { "\"\\u12g4\"", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 6: expected four hexadecimal digits" },
    { "\"abc", VEND_ERROR_BAD_REQUEST,
      "malformed JSON at line 1 column 5: unexpected end, expected '\"'" },
    { "18446744073709551616", VEND_ERROR_INVALID, "18446744073709551616 is out of range; " RANGE },
    { "{\"input\":{\"a\":[1,{\"b\":-9223372036854775809}]}}", VEND_ERROR_INVALID,
      "input.a.1.b: -9223372036854775809 is out of range; " RANGE },
    { "[123456789012345678901234567890123456789012345678901234567890]", VEND_ERROR_INVALID,
      "0: 1234567890123456789012345678901234567890… is out of range; " RANGE },
    { "{\"x\":1E400}", VEND_ERROR_INVALID,
      "x: 1E400 is out of range; the largest real is 1.7976931348623157e308" },
    { "{\"input\":{\"text\":\"a\\u0000b\"}}", VEND_ERROR_INVALID,
      "input.text: text with the character NUL (\\u0000) is not taken" },
    { "{\"input\":{\"a\\u0000b\":1}}", VEND_ERROR_INVALID,
      "input: text with the character NUL (\\u0000) is not taken" },
    { "{\"text\":\"\\ud800\"}", VEND_ERROR_INVALID,
      "text: \\ud800 is half of a character (a lone surrogate), which UTF-8 cannot hold" },
    { "[\"\\ud83d\\ud83d\"]", VEND_ERROR_INVALID,
      "0: \\ud83d is half of a character (a lone surrogate), which UTF-8 cannot hold" },
    { "[\"\\udc00\"]", VEND_ERROR_INVALID,
      "0: \\udc00 is half of a character (a lone surrogate), which UTF-8 cannot hold" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_t *value = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_json_parse (bad[i].text, strlen (bad[i].text), &value, &error));
      g_assert_nonnull (error);
      g_assert_cmpstr (error->message, ==, bad[i].message);
      g_assert_cmpint (error->code, ==, (int) bad[i].code);
      g_assert_null (value);
    }
}

static bool
parse_nested (guint levels, guint max_depth, json_t **out, GError **error)
{
  const VendJsonParsing how = { .max_depth = max_depth };
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < levels; i++)
    g_string_append (text, i % 2 == 0 ? "{\"a\":" : "[");
  g_string_append (text, "1");
  for (guint i = levels; i-- > 0;)
    g_string_append_c (text, i % 2 == 0 ? '}' : ']');
  return vend_json_parse_as (&how, text->str, text->len, out, error);
}

static void
test_depth (void)
{
  json_auto_t *value = NULL;
  json_t *deeper = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (parse_nested (VEND_JSON_MAX_DEPTH, 0, &value, NULL));
  g_assert_false (parse_nested (VEND_JSON_MAX_DEPTH + 1, 0, &deeper, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_true (g_str_has_suffix (error->message,
                                   ".a.0: nested deeper than 512 levels of arrays and objects"));
  g_clear_error (&error);
  g_assert_false (parse_nested (4, 3, &deeper, &error));
  g_assert_cmpstr (error->message, ==, "a.0.a: nested deeper than 3 levels of arrays and objects");
  g_clear_error (&error);
  g_assert_false (parse_nested (1000000, 0, &deeper, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
}

static void
test_repeated_names (void)
{
  json_auto_t *value = parsed ("{\"a\":1,\"b\":2,\"a\":18446744073709551615}");
  g_autofree char *text = vend_json_text (value);
  g_assert_cmpstr (text, ==, "{\"a\":18446744073709551615,\"b\":2}");
}

/* In one member alone: who reads the others knows no integers of 64 bits. */
static void
test_data_member (void)
{
  static const char *const bad[] = {
    "{\"version\":18446744073709551615}",
    "{\"input\":{},\"version\":18446744073709551615}",
    "{\"a\":{\"input\":18446744073709551615}}",
    "[18446744073709551615]",
    "18446744073709551615",
  };
  const VendJsonParsing how = { .data_member = "input" };
  json_auto_t *value = NULL;
  static const char good[] = "{\"a\":1,\"input\":{\"n\":[18446744073709551615]},\"b\":2}";
  g_assert_true (vend_json_parse_as (&how, good, strlen (good), &value, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_t *none = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_json_parse_as (&how, bad[i], strlen (bad[i]), &none, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "integers are from -9223372036854775808 to "
                                                "9223372036854775807"));
    }
}

static void
test_nul_replaced (void)
{
  static const char text[] = "{\"a\\u0000\":\"\\u0000b\\u0000\"}";
  const VendJsonParsing how = { .replaces_nul = true };
  json_auto_t *value = NULL;
  g_assert_true (vend_json_parse_as (&how, text, strlen (text), &value, NULL));
  g_autofree char *written = vend_json_text (value);
  g_assert_cmpstr (written, ==,
                   "{\"a\xef\xbf\xbd\":\"\xef\xbf\xbd"
                   "b\xef\xbf\xbd\"}");
}

static void
test_big_integers (void)
{
  json_auto_t *big = vend_json_integer_new (G_MAXUINT64);
  json_auto_t *least = vend_json_integer_new ((uint64_t) G_MAXINT64 + 1);
  json_auto_t *small = vend_json_integer_new (G_MAXINT64);
  json_auto_t *real = json_real (18446744073709551616.0);
  json_auto_t *half = json_real (9223372036854775808.0);
  json_auto_t *text = json_string ("18446744073709551615");
  json_auto_t *copy = json_deep_copy (big);
  g_assert_true (vend_json_is_big (big) && vend_json_is_big (least) && !vend_json_is_big (small));
  g_assert_true (vend_json_is_integer (big) && vend_json_is_integer (small));
  g_assert_true (vend_json_is_number (big) && !vend_json_is_string (big));
  g_assert_true (vend_json_is_string (text) && !vend_json_is_number (text));
  g_assert_true (json_equal (big, copy) && !json_equal (big, text) && !vend_json_same (big, text));
  g_assert_cmpint (vend_json_compare (big, real), ==, -1);
  g_assert_cmpint (vend_json_compare (big, least), ==, 1);
  g_assert_cmpint (vend_json_compare (small, least), ==, -1);
  g_assert_true (vend_json_same (least, half));
  g_assert_false (vend_json_is_big (NULL) || vend_json_is_integer (NULL)
                  || vend_json_is_string (NULL));

  json_auto_t *object = json_object ();
  json_object_set (object, "n", big);
  g_assert_null (vend_json_string (object, "n"));
  g_assert_cmpint (vend_json_int (object, "n", 7), ==, 7);
  g_assert_cmpfloat (vend_json_double (object, "n", 7), ==, 18446744073709551616.0);

  json_auto_t *whole = NULL;
  g_assert_true (vend_json_whole (half, &whole) && json_equal (whole, least));
  g_assert_false (vend_json_whole (real, NULL) || vend_json_whole (text, NULL));
}

static guint64
random_bits (void)
{
  return (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
}

/* Reads as glibc does, and writes no more digits than are needed. */
static void
test_random_reals (void)
{
  for (int i = 0; i < 20000; i++)
    {
      const guint64 bits = random_bits ();
      double number;
      memcpy (&number, &bits, sizeof number);
      if (i % 4 == 1)
        number = (double) (bits % 1000000000) / 1000;
      else if (i % 4 == 2)
        number = (double) (float) ((double) bits / 1e19);
      else if (i % 4 == 3)
        number = (double) (bits % 100000000000000000) / pow (10, (double) (bits % 30));
      if (!isfinite (number))
        continue;
      char written[VEND_JSON_NUMBER_SIZE];
      char precise[VEND_JSON_NUMBER_SIZE];
      vend_json_real_format (written, number);
      json_auto_t *value = vend_json_number_parse (written, strlen (written));
      g_assert_true (json_is_real (value) && json_real_value (value) == number);
      for (int digits = 1; digits <= 17; digits++)
        {
          g_snprintf (precise, sizeof precise, "%.*e", digits - 1, number);
          json_auto_t *same = vend_json_number_parse (precise, strlen (precise));
          if (same == NULL) /* rounded up beyond the largest */
            continue;
          g_assert_true (json_real_value (same) == g_ascii_strtod (precise, NULL));
          if (json_real_value (same) != number)
            continue;
          gsize n = 0;
          for (const char *at = written; *at != '\0' && *at != 'e'; at++)
            n += g_ascii_isdigit (*at) && (n > 0 || *at != '0') ? 1 : 0;
          if (strchr (written, 'e') != NULL || fabs (number) < 1e15)
            g_assert_cmpuint (n, <=, MAX (digits, 15) + 1);
          break;
        }
    }
}

/* A document of many kinds reads as jansson reads it. */
static void
test_like_jansson (void)
{
  static const char *const texts[] = {
    " { \"a\" : [ 1 , -2.5e3 , \"\\u00e4\\ud83d\\ude00\\n\" , true , false , null , { } , [ ] ] } ",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
    "{\"\":{\"\":[[],[{}]]}}",
    "\t[\r\n0.5, 1e-7, 123456789012345678]\n",
    "{\"a\":1,\"b\":2,\"a\":3}",
    "{\"a name that is longer than fits into the short buffer of a member's name\":1}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *value = parsed (texts[i]);
      json_auto_t *expected = json_loads (texts[i], JSON_DECODE_ANY, NULL);
      g_assert_nonnull (expected);
      g_assert_true (json_equal (value, expected));
    }
}

/* As json_dumps wrote it for people. */
static void
test_pretty (void)
{
  static const char *const texts[]
      = { "[]", "{}", "1", "{\"a\":[1,{\"b\":[]},{}],\"c\":\"x\"}", "[[[1]],null]" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *value = parsed (texts[i]);
      g_autofree char *pretty = vend_json_text_pretty (value);
      g_autofree char *expected = json_dumps (value, JSON_INDENT (2) | JSON_ENCODE_ANY);
      g_assert_cmpstr (pretty, ==, expected);
    }
  json_auto_t *numbers = parsed ("{\"a\":[0.1,18446744073709551615]}");
  g_autofree char *pretty = vend_json_text_pretty (numbers);
  g_assert_cmpstr (pretty, ==, "{\n  \"a\": [\n    0.1,\n    18446744073709551615\n  ]\n}");
}

static void
test_append (void)
{
  static const char expected[] = "x[\"ab\",18446744073709551615]";
  json_auto_t *value = parsed (expected + 1);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) "x", 1);
  vend_json_append (bytes, value);
  g_assert_cmpmem (bytes->data, bytes->len, expected, strlen (expected));
  g_assert_cmpuint (vend_json_size (value), ==, strlen (expected) - 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/parse/numbers", test_numbers);
  g_test_add_func ("/json/parse/bad", test_bad);
  g_test_add_func ("/json/parse/depth", test_depth);
  g_test_add_func ("/json/parse/repeated-names", test_repeated_names);
  g_test_add_func ("/json/parse/data-member", test_data_member);
  g_test_add_func ("/json/parse/nul-replaced", test_nul_replaced);
  g_test_add_func ("/json/parse/like-jansson", test_like_jansson);
  g_test_add_func ("/json/number/big-integers", test_big_integers);
  g_test_add_func ("/json/number/random-reals", test_random_reals);
  g_test_add_func ("/json/text/pretty", test_pretty);
  g_test_add_func ("/json/text/append", test_append);
  return g_test_run ();
}
