/* Shortens one string member of a JSON object while the text arrives. Pure. */
#include "director/json-cut.h"
#include <string.h>

void
vend_json_cut_start (VendJsonCut *cut, const char *member, gsize keep)
{
  memset (cut, 0, sizeof *cut);
  cut->member = member;
  cut->keep = keep;
}

static void
begin_string (VendJsonCut *cut)
{
  cut->in_string = true;
  if (cut->depth != 1)
    return;
  if (cut->key_expected)
    {
      cut->in_key = true;
      cut->key_length = 0;
    }
  else if (cut->matched)
    {
      cut->cutting = true;
      cut->kept = 0;
    }
}

static void
end_string (VendJsonCut *cut)
{
  cut->in_string = false;
  cut->cutting = false;
  cut->half = false;
  if (!cut->in_key)
    return;
  cut->in_key = false;
  cut->key_expected = false;
  cut->matched = cut->key_length == strlen (cut->member)
                 && memcmp (cut->key, cut->member, cut->key_length) == 0;
}

static void
structure_byte (VendJsonCut *cut, char c)
{
  switch (c)
    {
    case '"':
      begin_string (cut);
      break;
    case '{':
    case '[':
      cut->depth++;
      cut->key_expected = cut->depth == 1;
      break;
    case '}':
    case ']':
      cut->depth -= cut->depth > 0 ? 1 : 0;
      break;
    case ',':
      cut->key_expected = cut->depth == 1;
      cut->matched = cut->matched && cut->depth != 1;
      break;
    default:
      break;
    }
}

/* True when a new character of the string begins at `c`, so that a cut before it is clean. */
static bool
begins_character (const VendJsonCut *cut, char c)
{
  return !cut->escaped && cut->hex_left == 0 && ((guchar) c & 0xc0) != 0x80
         && !(cut->half && c == '\\');
}

/* Follows escapes; \ud83d\ude00 is one character. A third one in a row begins another, so that
 * halves without an end are cut too. */
static void
follow_escape (VendJsonCut *cut, char c)
{
  if (cut->hex_left > 0)
    {
      cut->unit = (cut->unit << 4 | ((guint) g_ascii_xdigit_value (c) & 0xf)) & 0xffff;
      if (--cut->hex_left > 0)
        return;
      cut->half = !cut->second_half && (cut->unit & 0xfc00) == 0xd800;
      cut->second_half = false;
    }
  else if (cut->escaped)
    {
      cut->escaped = false;
      cut->hex_left = c == 'u' ? 4 : 0;
      cut->second_half = cut->second_half && c == 'u';
    }
  else
    {
      cut->escaped = c == '\\';
      cut->second_half = cut->half && cut->escaped;
      cut->half = false;
    }
}

static bool
string_byte (VendJsonCut *cut, char c)
{
  const bool fresh = begins_character (cut, c);
  if (fresh && c == '"')
    {
      end_string (cut);
      return true;
    }
  if (cut->in_key && cut->key_length <= VEND_JSON_CUT_MEMBER_MAX)
    {
      if (cut->key_length < VEND_JSON_CUT_MEMBER_MAX)
        cut->key[cut->key_length] = c;
      cut->key_length++;
    }

  follow_escape (cut, c);
  if (!cut->cutting)
    return true;
  if (fresh && cut->kept >= cut->keep)
    cut->kept = G_MAXSIZE; /* nothing more of this value */
  if (cut->kept == G_MAXSIZE)
    return false;
  cut->kept++;
  return true;
}

void
vend_json_cut_feed (VendJsonCut *cut, const char *data, gsize size, GString *out)
{
  if (cut->member == NULL)
    {
      g_string_append_len (out, data, (gssize) size);
      return;
    }
  gsize start = 0; /* of the bytes that are kept but not copied yet */
  for (gsize i = 0; i < size; i++)
    {
      bool keep = true;
      if (cut->in_string)
        keep = string_byte (cut, data[i]);
      else
        structure_byte (cut, data[i]);
      if (keep)
        continue;
      g_string_append_len (out, data + start, (gssize) (i - start));
      start = i + 1;
    }
  g_string_append_len (out, data + start, (gssize) (size - start));
}
