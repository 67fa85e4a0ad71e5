/* Patterns of files that a push leaves out: parsed into tokens, matched in one pass over pattern
 * and path without backtracking, so that no pattern is slow. Pure; any thread. */
#include "build/ignore.h"
#include "base/error.h"
#include <string.h>

typedef enum
{
  TOKEN_BYTE,     /* one byte, as it is */
  TOKEN_ANY,      /* ?: one character but '/' */
  TOKEN_CLASS,    /* [...]: one character but '/' */
  TOKEN_STAR,     /* *: any characters but '/' */
  TOKEN_FOLDERS,  /* "**" and a slash: any number of whole folders, also none */
  TOKEN_ANYTHING, /* **: anything, also nothing */
} TokenKind;

typedef struct
{
  TokenKind kind;
  char byte;
  guint class_start; /* of the text between the brackets */
  guint class_size;
} Token;

typedef struct
{
  char *pattern;
  GArray *tokens;
  bool is_exception;
  bool dirs_only;
} Rule;

struct VendIgnore
{
  GPtrArray *rules;
  bool has_exceptions;
};

static void
rule_free (Rule *rule)
{
  g_free (rule->pattern);
  g_clear_pointer (&rule->tokens, g_array_unref);
  g_free (rule);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rule, rule_free)

void
vend_ignore_free (VendIgnore *ignore)
{
  if (ignore == NULL)
    return;
  g_ptr_array_unref (ignore->rules);
  g_free (ignore);
}

/* Length of "[...]" at `text`, or 0 when the bracket is never closed and stands for itself. */
static gsize
class_length (const char *text)
{
  const char *at = text + 1;
  if (*at == '!' || *at == '^')
    at++;
  if (*at == ']')
    at++;
  for (; *at != '\0' && *at != '/'; at++)
    {
      if (*at == ']')
        return (gsize) (at - text) + 1;
      if (*at == '\\' && at[1] != '\0')
        at++;
    }
  return 0;
}

/* Appends the token at `at`; returns what comes after it. */
static const char *
next_token (Rule *rule, const char *at)
{
  Token token = { .kind = TOKEN_BYTE, .byte = *at };
  gsize length = 1;
  bool starts_part = at == rule->pattern || at[-1] == '/';

  if (at[0] == '*' && at[1] == '*')
    {
      length = strspn (at, "*");
      bool is_folders = starts_part && at[length] == '/';
      token.kind = is_folders ? TOKEN_FOLDERS : TOKEN_ANYTHING;
      length += is_folders ? 1 : 0;
    }
  else if (at[0] == '*')
    token.kind = TOKEN_STAR;
  else if (at[0] == '?')
    token.kind = TOKEN_ANY;
  else if (at[0] == '[' && class_length (at) > 0)
    {
      length = class_length (at);
      token.kind = TOKEN_CLASS;
      token.class_start = (guint) (at - rule->pattern) + 1;
      token.class_size = (guint) length - 2;
    }
  else if (at[0] == '\\' && at[1] != '\0')
    {
      token.byte = at[1];
      length = 2;
    }
  g_array_append_val (rule->tokens, token);
  return at + length;
}

/* Without "./", doubled slashes and slashes at the ends; those mean something only here. */
static char *
tidy_pattern (const char *text, bool *out_anchored, bool *out_dirs_only)
{
  g_autoptr (GString) tidy = g_string_new (NULL);
  bool has_slash_at_start = text[0] == '/';
  g_auto (GStrv) parts = g_strsplit (text, "/", -1);
  gsize n_parts = g_strv_length (parts);
  for (gsize i = 0; i < n_parts; i++)
    {
      if (parts[i][0] == '\0' || strcmp (parts[i], ".") == 0)
        continue;
      if (tidy->len > 0)
        g_string_append_c (tidy, '/');
      g_string_append (tidy, parts[i]);
    }
  *out_anchored = has_slash_at_start || strchr (tidy->str, '/') != NULL;
  *out_dirs_only = n_parts > 1 && parts[n_parts - 1][0] == '\0';
  return g_string_free (g_steal_pointer (&tidy), FALSE);
}

static Rule *
parse_rule (const char *line, VendIgnoreStyle style)
{
  g_autofree char *text = g_strstrip (g_strdup (line));
  if (text[0] == '\0' || text[0] == '#')
    return NULL;

  g_autoptr (Rule) rule = g_new0 (Rule, 1);
  bool anchored = false;
  rule->is_exception = text[0] == '!';
  rule->tokens = g_array_new (FALSE, FALSE, sizeof (Token));
  rule->pattern
      = tidy_pattern (g_strchug (text + (rule->is_exception ? 1 : 0)), &anchored, &rule->dirs_only);
  if (rule->pattern[0] == '\0')
    return NULL;
  if (style == VEND_IGNORE_GIT && !anchored)
    g_array_append_val (rule->tokens, ((Token){ .kind = TOKEN_FOLDERS }));
  for (const char *at = rule->pattern; *at != '\0';)
    at = next_token (rule, at);
  return g_steal_pointer (&rule);
}

bool
vend_ignore_parse (const char *text, VendIgnoreStyle style, VendIgnore **out, GError **error)
{
  static const char byte_order_mark[] = "\xEF\xBB\xBF";
  g_autoptr (VendIgnore) ignore = g_new0 (VendIgnore, 1);
  ignore->rules = g_ptr_array_new_with_free_func ((GDestroyNotify) rule_free);
  if (g_str_has_prefix (text, byte_order_mark))
    text += strlen (byte_order_mark);

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      Rule *rule = parse_rule (lines[i], style);
      if (rule == NULL)
        continue;
      ignore->has_exceptions |= rule->is_exception;
      g_ptr_array_add (ignore->rules, rule);
      if (ignore->rules->len > VEND_IGNORE_MAX_RULES)
        return vend_fail (error, VEND_ERROR_TOO_LARGE, "more than %d patterns",
                          VEND_IGNORE_MAX_RULES);
    }
  *out = g_steal_pointer (&ignore);
  return true;
}

bool
vend_ignore_has_exceptions (const VendIgnore *ignore)
{
  return ignore->has_exceptions;
}

/* The character at `text`, and in `*length` its bytes; a byte that is not UTF-8 counts as itself.
 */
static gunichar
character_at (const char *text, gsize available, gsize *length)
{
  gunichar c = g_utf8_get_char_validated (text, (gssize) available);
  if (c == (gunichar) -1 || c == (gunichar) -2)
    {
      *length = 1;
      return (guchar) text[0];
    }
  *length = (gsize) g_unichar_to_utf8 (c, NULL);
  return c;
}

static gunichar
class_member (const char *text, gsize size, gsize *at)
{
  gsize length = 0;
  if (text[*at] == '\\' && *at + 1 < size)
    *at += 1;
  gunichar c = character_at (text + *at, size - *at, &length);
  *at += length;
  return c;
}

static bool
class_has (const char *text, gsize size, gunichar c)
{
  gsize at = 0;
  bool found = false;
  bool inverted = text[0] == '!' || text[0] == '^';
  if (inverted)
    at = 1;
  while (at < size)
    {
      gunichar low = class_member (text, size, &at);
      gunichar high = low;
      if (at + 1 < size && text[at] == '-')
        {
          at++;
          high = class_member (text, size, &at);
        }
      found |= c >= low && c <= high;
    }
  return found != inverted;
}

/* `now[i]`: the tokens so far match the first `i` bytes of `path`. Fills `next` for one token more;
 * false when there is no such `i`. */
static bool
step (const Rule *rule, const Token *token, const char *path, gsize size, const guint8 *now,
      guint8 *next)
{
  bool alive = false; /* some i' <= i is in `now`, and the token can reach from there to here */
  bool any = false;
  memset (next, 0, size + 1);
  for (gsize i = 0; i <= size; i++)
    {
      switch (token->kind)
        {
        case TOKEN_STAR:
          alive = now[i] != 0 || (alive && path[i - 1] != '/');
          next[i] |= alive;
          break;
        case TOKEN_ANYTHING:
          alive |= now[i] != 0;
          next[i] |= alive;
          break;
        case TOKEN_FOLDERS:
          next[i] |= now[i] != 0 || (alive && path[i - 1] == '/');
          alive |= now[i] != 0;
          break;
        case TOKEN_BYTE:
          if (now[i] != 0 && i < size && path[i] == token->byte)
            next[i + 1] = 1;
          break;
        case TOKEN_ANY:
        case TOKEN_CLASS:
          if (now[i] != 0 && i < size && path[i] != '/')
            {
              gsize length = 0;
              gunichar c = character_at (path + i, size - i, &length);
              if (token->kind == TOKEN_ANY
                  || class_has (rule->pattern + token->class_start, token->class_size, c))
                next[i + length] = 1;
            }
          break;
        }
    }
  for (gsize i = 0; i <= size && !any; i++)
    any = next[i] != 0;
  return any;
}

/* Of the path itself or of a folder that it lies in. */
static bool
rule_matches (const Rule *rule, const char *path, gsize size, bool is_dir, guint8 *now,
              guint8 *next)
{
  memset (now, 0, size + 1);
  now[0] = 1;
  for (guint t = 0; t < rule->tokens->len; t++)
    {
      if (!step (rule, &g_array_index (rule->tokens, Token, t), path, size, now, next))
        return false;
      guint8 *swap = now;
      now = next;
      next = swap;
    }
  for (gsize i = 1; i < size; i++)
    if (now[i] != 0 && path[i] == '/')
      return true;
  return now[size] != 0 && (is_dir || !rule->dirs_only);
}

bool
vend_ignore_matches (const VendIgnore *ignore, const char *path, bool is_dir)
{
  gsize size = strlen (path);
  g_autofree guint8 *now = g_malloc (size + 1);
  g_autofree guint8 *next = g_malloc (size + 1);
  bool ignored = false;
  for (guint i = 0; i < ignore->rules->len; i++)
    {
      const Rule *rule = g_ptr_array_index (ignore->rules, i);
      if (rule->is_exception == ignored && rule_matches (rule, path, size, is_dir, now, next))
        ignored = !rule->is_exception;
    }
  return ignored;
}
