/* Numbers of JSON texts: integers of 65 bits, reals in their shortest form. Pure. */
#include "json/number.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Occurs in no UTF-8, and so in no string of a JSON text. */
#define BIG_MARK '\xff'

#define MAX_EXACT_DIGITS 15 /* every number of so many digits is exact as a real */
#define MAX_EXACT_POWER 22  /* 10^22 is the last power of ten that is exact as a real */
#define MAX_DIGITS 17       /* enough to tell any two reals apart */
#define REAL_TEXT_SIZE 64   /* longer texts of reals are copied to the heap */
#define LEAST_PLAIN 1e-4    /* smaller numbers are written with an exponent */
#define LEAST_LONG 1e15     /* larger numbers may be */
#define TWO_POWER_63 9223372036854775808.0
#define TWO_POWER_64 18446744073709551616.0

/* Integers and reals are compared exactly in long double. */
G_STATIC_ASSERT (LDBL_MANT_DIG >= 64);

static const double powers[MAX_EXACT_POWER + 1]
    = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

json_t *
vend_json_integer_new (uint64_t number)
{
  char digits[VEND_JSON_NUMBER_SIZE];
  if (number <= INT64_MAX)
    return json_integer ((json_int_t) number);
  g_snprintf (digits, sizeof digits, "%c%" G_GUINT64_FORMAT, BIG_MARK, number);
  return json_string_nocheck (digits);
}

bool
vend_json_is_big (const json_t *value)
{
  return json_is_string (value) && json_string_value (value)[0] == BIG_MARK;
}

bool
vend_json_is_integer (const json_t *value)
{
  return json_is_integer (value) || vend_json_is_big (value);
}

bool
vend_json_is_number (const json_t *value)
{
  return json_is_number (value) || vend_json_is_big (value);
}

bool
vend_json_is_string (const json_t *value)
{
  return json_is_string (value) && json_string_value (value)[0] != BIG_MARK;
}

const char *
vend_json_big_digits (const json_t *value)
{
  return vend_json_is_big (value) ? json_string_value (value) + 1 : NULL;
}

static long double
exact (const json_t *value)
{
  const char *digits = vend_json_big_digits (value);
  if (digits != NULL)
    return (long double) g_ascii_strtoull (digits, NULL, 10);
  return json_is_integer (value) ? (long double) json_integer_value (value)
                                 : (long double) json_real_value (value);
}

double
vend_json_number (const json_t *value)
{
  return (double) exact (value);
}

int
vend_json_compare (const json_t *a, const json_t *b)
{
  const long double left = exact (a);
  const long double right = exact (b);
  return (left > right) - (left < right);
}

bool
vend_json_same (const json_t *a, const json_t *b)
{
  if (vend_json_is_number (a) && vend_json_is_number (b))
    return vend_json_compare (a, b) == 0;
  return json_equal (a, b);
}

bool
vend_json_whole (const json_t *value, json_t **out)
{
  if (vend_json_is_integer (value))
    {
      if (out != NULL)
        *out = json_incref ((json_t *) value);
      return true;
    }
  const double number = json_real_value (value);
  if (!json_is_real (value) || floor (number) != number || number < -TWO_POWER_63
      || number >= TWO_POWER_64)
    return false;
  if (out != NULL)
    *out = number < 0 ? json_integer ((json_int_t) number)
                      : vend_json_integer_new ((uint64_t) number);
  return true;
}

/* ---- Reading. */

/* The digits of a number without its point, and the power of ten to multiply by. */
typedef struct
{
  uint64_t digits; /* the first 19 significant digits */
  gsize n_digits;  /* significant digits, without leading zeros */
  int power;
  bool is_negative;
  bool is_real;
} Decimal;

static Decimal
decimal_of (const char *text, gsize size)
{
  Decimal number = { .is_negative = text[0] == '-' };
  bool after_point = false;
  gsize at = number.is_negative ? 1 : 0;
  for (; at < size && text[at] != 'e' && text[at] != 'E'; at++)
    {
      if (text[at] == '.')
        {
          after_point = number.is_real = true;
          continue;
        }
      number.power -= after_point && number.power > -G_MAXINT / 2 ? 1 : 0;
      if (number.n_digits == 0 && text[at] == '0')
        continue;
      if (number.n_digits++ < 19)
        number.digits = number.digits * 10 + (uint64_t) (text[at] - '0');
    }
  if (at == size)
    return number;
  number.is_real = true;
  const bool is_small = text[++at] == '-';
  at += text[at] == '-' || text[at] == '+' ? 1 : 0;
  int power = 0;
  for (; at < size; at++)
    power = MIN (power * 10 + (text[at] - '0'), 100000);
  number.power += is_small ? -power : power;
  return number;
}

static double
nearest_real (const char *text, gsize size)
{
  char buffer[REAL_TEXT_SIZE];
  if (size >= sizeof buffer)
    {
      g_autofree char *copy = g_strndup (text, size);
      return g_ascii_strtod (copy, NULL);
    }
  memcpy (buffer, text, size);
  buffer[size] = '\0';
  return g_ascii_strtod (buffer, NULL);
}

static double
real_of (const Decimal *number, const char *text, gsize size)
{
  /* Both are exact reals, so their quotient or product is rounded once, as required. */
  double real;
  if (number->n_digits > MAX_EXACT_DIGITS || ABS (number->power) > MAX_EXACT_POWER)
    return nearest_real (text, size);
  if (number->power < 0)
    real = (double) number->digits / powers[-number->power];
  else
    real = (double) number->digits * powers[number->power];
  return number->is_negative ? -real : real;
}

/* Writes at least `least` digits. Returns the end. */
static char *
put_digits (char *to, uint64_t number, int least)
{
  char backwards[24];
  int n = 0;
  for (; number > 0 || n < least; number /= 10)
    backwards[n++] = (char) ('0' + number % 10);
  while (n > 0)
    *to++ = backwards[--n];
  return to;
}

/* The fewest digits of a real that read back as the same, without trailing zeros: d.ddd times ten
 * to the power. */
typedef struct
{
  char digits[MAX_DIGITS + 1];
  int n;
  int power;
  int precision; /* needed digits, trailing zeros included */
} Shortest;

static int
print_digits (double number, int precision, char digits[MAX_DIGITS + 1])
{
  char raw[G_ASCII_DTOSTR_BUF_SIZE];
  char format[8];
  g_snprintf (format, sizeof format, "%%.%de", precision - 1);
  g_ascii_formatd (raw, sizeof raw, format, number);
  digits[0] = raw[0];
  memcpy (digits + 1, raw + 2, (gsize) precision - 1);
  return (int) g_ascii_strtoll (raw + precision + (precision > 1 ? 1 : 0) + 1, NULL, 10);
}

/* Rounds 17 digits to `precision`, or asks printf for them where the direction is unclear. */
static int
round_digits (double number, const char all[MAX_DIGITS + 1], int power, int precision,
              char digits[MAX_DIGITS + 1])
{
  int last = precision - 1;
  const bool is_tie = all[precision] == '5'
                      && strspn (all + precision + 1, "0") == (gsize) (MAX_DIGITS - precision - 1);
  memcpy (digits, all, (gsize) precision);
  if (all[precision] < '5')
    return power;
  while (last >= 0 && digits[last] == '9')
    last--;
  if (is_tie || last < 0)
    return print_digits (number, precision, digits);
  digits[last]++;
  memset (digits + last + 1, '0', (gsize) (precision - 1 - last));
  return power;
}

static bool
reads_back (const char *digits, int n, int power, double number)
{
  char text[VEND_JSON_NUMBER_SIZE];
  memcpy (text, digits, (gsize) n);
  text[n] = 'e';
  const int exponent = power - n + 1;
  char *end = text + n + 1;
  if (exponent < 0)
    *end++ = '-';
  *put_digits (end, (uint64_t) ABS (exponent), 1) = '\0';
  return g_ascii_strtod (text, NULL) == number;
}

/* `number` is not negative. Fewer than `precision` digits are known to be too few. */
static Shortest
shortest_of (double number, int precision)
{
  Shortest shortest = { .precision = MAX_DIGITS };
  char all[MAX_DIGITS + 1] = { 0 };
  const int power = print_digits (number, MAX_DIGITS, all);
  memcpy (shortest.digits, all, MAX_DIGITS);
  shortest.power = power;
  for (; precision < MAX_DIGITS; precision++)
    {
      char digits[MAX_DIGITS + 1] = { 0 };
      const int rounded = round_digits (number, all, power, precision, digits);
      if (!reads_back (digits, precision, rounded, number))
        continue;
      memcpy (shortest.digits, digits, MAX_DIGITS);
      shortest.power = rounded;
      shortest.precision = precision;
      break;
    }
  shortest.n = shortest.precision;
  while (shortest.n > 1 && shortest.digits[shortest.n - 1] == '0')
    shortest.n--;
  return shortest;
}

/* The tiniest reals have fewer than 15 digits; all others can be written with 15 without needless
 * digits. */
static int
least_digits (double number)
{
  return fabs (number) < DBL_MIN ? 1 : MAX_EXACT_DIGITS;
}

/* JavaScript writes 1e20 in plain digits. */
static json_t *
real_of_same_digits (const char *text, gsize size)
{
  const double real = nearest_real (text, size);
  if (!isfinite (real))
    return NULL;
  const Shortest shortest = shortest_of (fabs (real), MAX_EXACT_DIGITS);
  const gsize n = (gsize) shortest.n;
  if (text[0] == '-')
    {
      text++;
      size--;
    }
  if ((gsize) shortest.power + 1 != size || memcmp (text, shortest.digits, n) != 0
      || strspn (text + n, "0") < size - n)
    return NULL;
  return json_real (real);
}

static json_t *
integer_of (const Decimal *number, const char *text, gsize size)
{
  uint64_t whole = number->digits;
  bool fits = number->n_digits <= 19;
  if (number->n_digits == 20)
    {
      const uint64_t last = (uint64_t) (text[size - 1] - '0');
      fits = whole < UINT64_MAX / 10 || (whole == UINT64_MAX / 10 && last <= UINT64_MAX % 10);
      whole = whole * 10 + last;
    }
  if (!number->is_negative && fits)
    return vend_json_integer_new (whole);
  if (number->is_negative && fits && whole <= (uint64_t) INT64_MAX + 1)
    return json_integer ((json_int_t) (0 - whole));
  return real_of_same_digits (text, size);
}

json_t *
vend_json_number_parse (const char *text, gsize size)
{
  const Decimal number = decimal_of (text, size);
  if (!number.is_real)
    return integer_of (&number, text, size);
  return json_real (real_of (&number, text, size)); /* NULL unless finite */
}

/* ---- Writing. */

/* Most reals have few digits: 0.25 is 25 behind two places. */
static bool
format_few_digits (char *buffer, double number)
{
  const double size = fabs (number);
  uint64_t unit = 1;
  for (int places = 0; size * powers[places] < LEAST_LONG; places++, unit *= 10)
    {
      const uint64_t digits = (uint64_t) (size * powers[places] + 0.5);
      if ((double) digits / powers[places] != size)
        continue;
      if (number < 0)
        *buffer++ = '-';
      buffer = put_digits (buffer, digits / unit, 1);
      *buffer++ = '.';
      buffer = put_digits (buffer, digits % unit, MAX (places, 1));
      *buffer = '\0';
      return true;
    }
  return false;
}

/* Writes digits with a point after `point` of them, which may lie before or after all digits. */
static char *
put_plain (char *to, const Shortest *shortest, int point)
{
  if (point <= 0)
    {
      *to++ = '0';
      *to++ = '.';
      for (int i = point; i < 0; i++)
        *to++ = '0';
    }
  for (int i = 0; i < MAX (shortest->n, point); i++)
    {
      if (i == point && point > 0)
        *to++ = '.';
      *to++ = i < shortest->n ? shortest->digits[i] : '0';
    }
  return to;
}

static char *
put_with_exponent (char *to, const Shortest *shortest, int least)
{
  *to++ = shortest->digits[0];
  if (shortest->n > 1)
    *to++ = '.';
  memcpy (to, shortest->digits + 1, (gsize) shortest->n - 1);
  to += shortest->n - 1;
  *to++ = 'e';
  *to++ = shortest->power < 0 ? '-' : '+';
  return put_digits (to, (uint64_t) ABS (shortest->power), least);
}

void
vend_json_real_format (char buffer[VEND_JSON_NUMBER_SIZE], double number)
{
  const double size = fabs (number);
  const bool is_plain = size >= LEAST_PLAIN && size < LEAST_LONG;
  char *to = buffer;
  if (is_plain && format_few_digits (buffer, number))
    return;
  const Shortest shortest = shortest_of (size, least_digits (size) + (is_plain ? 1 : 0));
  if (signbit (number))
    *to++ = '-';
  if (shortest.power < -4 || shortest.power >= MAX (shortest.precision, MAX_EXACT_DIGITS))
    to = put_with_exponent (to, &shortest, 2);
  else
    {
      to = put_plain (to, &shortest, shortest.power + 1);
      /* Stays a real for readers that tell 1.0 from 1. */
      if (shortest.n <= shortest.power + 1)
        {
          memcpy (to, ".0", 2);
          to += 2;
        }
    }
  *to = '\0';
}

void
vend_json_real_format_js (char buffer[VEND_JSON_NUMBER_SIZE], double number)
{
  char *to = buffer;
  const Shortest shortest = shortest_of (fabs (number), least_digits (number));
  if (number < 0)
    *to++ = '-';
  if (shortest.power >= -6 && shortest.power < 21)
    to = put_plain (to, &shortest, shortest.power + 1);
  else
    to = put_with_exponent (to, &shortest, 1);
  *to = '\0';
}
