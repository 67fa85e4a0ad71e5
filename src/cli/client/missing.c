/* What an answer 404 says is not there, from the path of the request. Pure. */
#include "cli/client/missing.h"
#include <stdbool.h>
#include <string.h>

#define MAX_PARTS 8

static const struct
{
  const char *folder; /* behind "/v1/" */
  guint n_parts;      /* of the id behind the folder */
  const char *kind;
} kinds[] = {
  { "models", 2, "model" },
  { "deployments", 2, "deployment" },
  { "predictions", 1, "prediction" },
  { "trainings", 1, "training" },
  { "files", 1, "file" },
  { "tokens", 1, "token" },
  { "accounts", 1, "account" },
  { "uploads", 1, "upload" },
  { "builds", 1, "build" },
  { "webhooks/deliveries", 1, "delivery" },
};

static char *
unescaped (const char *text)
{
  char *plain = g_uri_unescape_string (text, NULL);
  return plain != NULL ? plain : g_strdup (text);
}

/* `rest` is what stands behind the folder: "lab/echo/versions/…". */
static char *
thing_of (const char *kind, guint n_parts, const char *rest)
{
  g_auto (GStrv) parts = g_strsplit (rest, "/", MAX_PARTS);
  if (g_strv_length (parts) < n_parts || *parts[0] == '\0')
    return NULL;
  g_autofree char *id
      = n_parts == 2 ? g_strconcat (parts[0], "/", parts[1], NULL) : g_strdup (parts[0]);
  g_autofree char *plain = unescaped (id);
  static const struct
  {
    const char *folder;
    const char *kind;
  } inner[] = { { "versions", "version" }, { "secrets", "secret" } };
  for (guint i = 0;
       n_parts == 2 && parts[2] != NULL && parts[3] != NULL && i < G_N_ELEMENTS (inner); i++)
    if (strcmp (parts[2], inner[i].folder) == 0)
      return g_strdup_printf ("%s %s of %s", inner[i].kind, parts[3], plain);
  return g_strdup_printf ("%s %s", kind, plain);
}

/* Lists may be asked for those of one account or of one model. */
static char *
thing_of_query (const char *query)
{
  static const char *const names[] = { "account", "model" };
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) pairs = g_strsplit (query, "&", MAX_PARTS);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint j = 0; pairs[j] != NULL; j++)
      {
        const gsize length = strlen (names[i]);
        if (strncmp (pairs[j], names[i], length) != 0 || pairs[j][length] != '=')
          continue;
        g_autofree char *plain = unescaped (pairs[j] + length + 1);
        g_string_append_printf (text, "%s%s %s", text->len > 0 ? " or " : "", names[i], plain);
      }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

char *
vend_missing_thing (const char *path)
{
  g_autofree char *bare = g_strndup (path, strcspn (path, "?"));
  const char *query = path[strlen (bare)] == '?' ? path + strlen (bare) + 1 : "";
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *start = g_strdup_printf ("/v1/%s/", kinds[i].folder);
      if (g_str_has_prefix (bare, start))
        return thing_of (kinds[i].kind, kinds[i].n_parts, bare + strlen (start));
    }
  return thing_of_query (query);
}
