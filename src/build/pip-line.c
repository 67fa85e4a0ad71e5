/* One line of a requirements file, taken apart as pip does it. Pure. */
#include "build/pip-line.h"
#include "base/error.h"
#include <string.h>

typedef struct
{
  const char *name;
  const char *brief;
  bool has_value;
} Known;

static const Known known_options[] = {
  { "--requirement", "-r", true },    { "--constraint", "-c", true },
  { "--editable", "-e", true },       { "--find-links", "-f", true },
  { "--index-url", "-i", true },      { "--extra-index-url", NULL, true },
  { "--no-binary", NULL, true },      { "--only-binary", NULL, true },
  { "--trusted-host", NULL, true },   { "--hash", NULL, true },
  { "--no-index", NULL, false },      { "--pre", NULL, false },
  { "--prefer-binary", NULL, false },
};

static void
option_free (void *data)
{
  VendPipOption *option = data;
  g_free (option->value);
  g_free (option);
}

void
vend_pip_line_free (VendPipLine *line)
{
  if (line == NULL)
    return;
  g_free (line->requirement);
  g_ptr_array_unref (line->options);
  g_free (line);
}

/* Where the options begin: at the first word with a dash in front. */
static const char *
options_of (const char *text)
{
  bool at_word = true;
  for (const char *c = text; *c != '\0'; c++)
    {
      if (at_word && *c == '-')
        return c;
      at_word = g_ascii_isspace (*c);
    }
  return text + strlen (text);
}

/* Words as a shell divides them, but with quotes alone: a backslash is part of a path. NULL when a
 * quote is not closed. */
static GPtrArray *
split_words (const char *text)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  const char *c = text;
  for (;;)
    {
      g_autoptr (GString) word = g_string_new (NULL);
      char quote = '\0';
      while (g_ascii_isspace (*c))
        c++;
      if (*c == '\0')
        return g_steal_pointer (&words);
      for (; *c != '\0' && (quote != '\0' || !g_ascii_isspace (*c)); c++)
        {
          if (quote != '\0' ? *c == quote : *c == '"' || *c == '\'')
            quote = quote != '\0' ? '\0' : *c;
          else
            g_string_append_c (word, *c);
        }
      if (quote != '\0')
        return NULL;
      g_ptr_array_add (words, g_string_free (g_steal_pointer (&word), FALSE));
    }
}

/* "--x", "--x=v", "-x", "-xv": which one, and the value in the same word or NULL. */
static const Known *
find_option (const char *word, const char **out_value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known_options); i++)
    {
      const Known *known = &known_options[i];
      const gsize length = strlen (known->name);
      *out_value = NULL;
      if (strncmp (word, known->name, length) == 0 && (word[length] == '=' || word[length] == '\0'))
        {
          if (word[length] == '=')
            *out_value = word + length + 1;
          return known;
        }
      if (known->brief == NULL || !g_str_has_prefix (word, known->brief))
        continue;
      if (word[2] != '\0')
        *out_value = word + 2 + (word[2] == '=' ? 1 : 0);
      return known;
    }
  return NULL;
}

static bool
read_option (VendPipLine *line, const GPtrArray *words, guint *at, GError **error)
{
  const char *word = g_ptr_array_index (words, *at);
  const char *value = NULL;
  const Known *known = find_option (word, &value);
  if (known == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "option '%s' is not supported", word);
  if (known->has_value && value == NULL && *at + 1 < words->len)
    value = g_ptr_array_index (words, ++*at);
  if (known->has_value && (value == NULL || *value == '\0'))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' needs a value", known->name);
  if (!known->has_value && value != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' takes no value", known->name);
  VendPipOption *option = g_new0 (VendPipOption, 1);
  option->name = known->name;
  option->value = g_strdup (value);
  g_ptr_array_add (line->options, option);
  return true;
}

bool
vend_pip_line_parse (const char *text, VendPipLine **out, GError **error)
{
  const char *options = options_of (text);
  g_autoptr (VendPipLine) line = g_new0 (VendPipLine, 1);
  line->requirement = g_strstrip (g_strndup (text, (gsize) (options - text)));
  line->options = g_ptr_array_new_with_free_func (option_free);
  g_autoptr (GPtrArray) words = split_words (options);
  if (words == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' has a quote that is not closed", text);
  for (guint i = 0; i < words->len; i++)
    {
      const char *word = g_ptr_array_index (words, i);
      if (*word != '-')
        return vend_fail (error, VEND_ERROR_INVALID,
                          "'%s' follows an option; write each requirement on its own line", word);
      if (!read_option (line, words, &i, error))
        return false;
    }
  *out = g_steal_pointer (&line);
  return true;
}

char *
vend_pip_package_name (const char *requirement)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  for (const char *c = requirement;
       g_ascii_isalnum (*c) || (*c != '\0' && strchr ("._-", *c) != NULL); c++)
    {
      if (g_ascii_isalnum (*c))
        g_string_append_c (plain, g_ascii_tolower (*c));
      else if (plain->len == 0 || plain->str[plain->len - 1] != '-')
        g_string_append_c (plain, '-');
    }
  return g_string_free (g_steal_pointer (&plain), FALSE);
}

char *
vend_pip_torch_build (const char *requirement)
{
  g_autoptr (GRegex) regex
      = g_regex_new ("\\Atorch(?:vision|audio|text|data)?\\s*(?:\\[[^\\]]*\\])?\\s*={2,3}\\s*"
                     "[0-9A-Za-z.]+\\+(cpu|cu[0-9]{2,3}|rocm[0-9.]+|xpu)\\s*(?:;.*)?\\z",
                     G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_assert (regex != NULL);
  return g_regex_match (regex, requirement, G_REGEX_MATCH_DEFAULT, &match)
             ? g_match_info_fetch (match, 1)
             : NULL;
}
