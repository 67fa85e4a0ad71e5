/* Search in models and collections, by SQLite's FTS5 or PostgreSQL's tsquery. */
#include "store/search.h"
#include <string.h>

#define MAX_WORDS 16
#define MAX_WORD 64
/* Distance of match classes in the score that people see; see search.sql. */
#define PLACE_SCORE 100.0
#define SCORE_UNIT 20.0

/* Words of a text: runs of letters and digits, in lower case. */
static GPtrArray *
words_of (const char *text)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *lower = g_utf8_strdown (valid, -1);
  g_autoptr (GString) word = g_string_new (NULL);
  for (const char *at = lower; words->len < MAX_WORDS; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (c != 0 && (g_unichar_isalnum (c) || g_unichar_ismark (c)))
        {
          if (word->len < MAX_WORD)
            g_string_append_unichar (word, c);
          continue;
        }
      if (word->len > 0)
        g_ptr_array_add (words, g_strdup (word->str));
      g_string_truncate (word, 0);
      if (c == 0)
        break;
    }
  return g_steal_pointer (&words);
}

typedef enum
{
  IN_NAME,
  IN_DESCRIPTION, /* or in the name */
  ANYWHERE,
} Columns;

/* Words hold no quotes, so no word is syntax for the engine. */
static char *
expression (const VendDb *db, const GPtrArray *words, Columns columns, bool all)
{
  static const char *const fts5[] = { "{owner name} : ", "{owner name description} : ", "" };
  static const char *const weights[] = { "AB", "ABC", "" };
  const bool is_fts5 = vend_db_dialect (db) == VEND_DIALECT_SQLITE;
  const char *between = is_fts5 ? (all ? " AND " : " OR ") : (all ? " & " : " | ");
  g_autoptr (GString) text = g_string_new (is_fts5 ? fts5[columns] : "");
  g_string_append_c (text, '(');
  for (guint i = 0; i < words->len; i++)
    {
      const char *word = g_ptr_array_index (words, i);
      g_string_append (text, i > 0 ? between : "");
      if (is_fts5)
        g_string_append_printf (text, "\"%s\"*", word);
      else
        g_string_append_printf (text, "'%s':*%s", word, weights[columns]);
    }
  g_string_append_c (text, ')');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
joined (const GPtrArray *words)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < words->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "-" : "",
                            (const char *) g_ptr_array_index (words, i));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void *
read_hit (VendStmt *stmt)
{
  VendHit *hit = g_new0 (VendHit, 1);
  hit->id = vend_stmt_get_int (stmt, 0);
  hit->score = PLACE_SCORE * (double) vend_stmt_get_int (stmt, 1)
               + (double) vend_stmt_get_int (stmt, 2) / SCORE_UNIT;
  return hit;
}

/* Columns for the words, and how many words have to match. */
typedef struct
{
  Columns columns;
  bool all;
} Way;

static bool
find_models (VendDb *db, const char *text, const GPtrArray *words, Way way, int64_t viewer,
             int limit, GPtrArray **out, GError **error)
{
  g_autofree char *anywhere = expression (db, words, way.columns, way.all);
  g_autofree char *in_name = expression (db, words, IN_NAME, true);
  g_autofree char *described = expression (db, words, IN_DESCRIPTION, true);
  g_autofree char *name = joined (words);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *lower = g_utf8_strdown (g_strstrip (valid), -1);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SEARCH_MODELS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, anywhere);
  vend_stmt_text (stmt, 2, lower);
  vend_stmt_text (stmt, 3, name);
  vend_stmt_text (stmt, 4, in_name);
  vend_stmt_text (stmt, 5, described);
  vend_stmt_int (stmt, 6, viewer);
  vend_stmt_int (stmt, 7, limit);
  return vend_stmt_collect (stmt, read_hit, g_free, out, error);
}

bool
vend_store_search_models (VendDb *db, const char *text, int64_t viewer, int limit, GPtrArray **out,
                          GError **error)
{
  /* Names go first: where enough names match, the many matches elsewhere need not be ranked. */
  static const Way ways[] = { { IN_NAME, true }, { ANYWHERE, true }, { ANYWHERE, false } };
  g_autoptr (GPtrArray) words = words_of (text);
  g_autoptr (GPtrArray) hits = g_ptr_array_new_with_free_func (g_free);
  const guint enough[] = { (guint) limit, 1, 0 };
  for (guint i = 0; words->len > 0 && i < G_N_ELEMENTS (ways); i++)
    {
      g_clear_pointer (&hits, g_ptr_array_unref);
      if (!find_models (db, text, words, ways[i], viewer, limit, &hits, error))
        return false;
      if (hits->len >= enough[i])
        break;
    }
  *out = g_steal_pointer (&hits);
  return true;
}

static void *
read_id (VendStmt *stmt)
{
  VendHit *hit = g_new0 (VendHit, 1);
  hit->id = vend_stmt_get_int (stmt, 0);
  return hit;
}

bool
vend_store_search_collections (VendDb *db, const char *text, int limit, GPtrArray **out,
                               GError **error)
{
  g_autoptr (GPtrArray) words = words_of (text);
  if (words->len == 0)
    {
      *out = g_ptr_array_new_with_free_func (g_free);
      return true;
    }
  g_autofree char *anywhere = expression (db, words, ANYWHERE, true);
  g_autofree char *slug = joined (words);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_SEARCH_COLLECTIONS, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, anywhere);
  vend_stmt_text (stmt, 2, slug);
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_collect (stmt, read_id, g_free, out, error);
}
