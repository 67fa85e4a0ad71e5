/* What differs between two versions. Pure. */
#include "cli/commands/versions-diff.h"
#include "cli/arguments/inputs.h"
#include <string.h>

#define SHOWN_DIGITS 12 /* of a checksum */

static void
add (json_t *list, const char *what, const char *name, json_t *a, json_t *b)
{
  json_array_append_new (list, json_pack ("{s:s, s:s, s:o, s:o}", "what", what, "name", name, "a",
                                          a != NULL ? a : json_null (), "b",
                                          b != NULL ? b : json_null ()));
}

static json_t *
copy_of (const json_t *value)
{
  return json_incref ((json_t *) value);
}

/* Members of two objects, which may be NULL. */
static void
compare_members (json_t *list, const char *what, const json_t *a, const json_t *b)
{
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *) a, name, value)
    if (!json_equal (value, json_object_get (b, name)))
      add (list, what, name, copy_of (value), copy_of (json_object_get (b, name)));
  json_object_foreach ((json_t *) b, name, value)
    if (json_object_get (a, name) == NULL)
      add (list, what, name, NULL, copy_of (value));
}

static void
compare_member (json_t *list, const char *what, const json_t *a, const json_t *b)
{
  const json_t *x = json_object_get (a, what), *y = json_object_get (b, what);
  if (x == y || json_equal (x, y))
    return;
  add (list, what, "", json_is_null (x) ? NULL : copy_of (x),
       json_is_null (y) ? NULL : copy_of (y));
}

/* ---- Lists as objects, by the name of their items */

static char *
short_sum (const json_t *file)
{
  const char *sha256 = vend_json_string (file, "sha256");
  return g_strdup_printf ("%" G_GINT64_FORMAT " bytes, %.*s", vend_json_int (file, "size", 0),
                          SHOWN_DIGITS, sha256 != NULL ? sha256 : "");
}

/* Of managed weights: all that is not their name. */
static json_t *
by_set (const json_t *sets)
{
  json_t *object = json_object ();
  size_t i;
  json_t *set;
  json_array_foreach ((json_t *) sets, i, set)
    {
      const char *name = vend_json_string (set, "name");
      const char *target = vend_json_string (set, "target");
      const char *source = vend_json_string (set, "source");
      const char *digest = vend_json_string (set, "digest");
      g_autofree char *text = g_strdup_printf (
          "%" G_GINT64_FORMAT " bytes at %s, %.*s, from %s", vend_json_int (set, "size", 0),
          target != NULL ? target : "", SHOWN_DIGITS, digest != NULL ? digest : "",
          source != NULL ? source : "");
      if (name != NULL)
        vend_json_set_string (object, name, text);
    }
  return object;
}

static json_t *
by_name (const json_t *files, const char *key)
{
  json_t *object = json_object ();
  size_t i;
  json_t *file;
  json_array_foreach ((json_t *) files, i, file)
    {
      const char *name = vend_json_string (file, key);
      g_autofree char *sum = short_sum (file);
      if (name != NULL)
        vend_json_set_string (object, name, sum);
    }
  return object;
}

/* "numpy==2.1.0" is the package numpy in the version 2.1.0. */
static json_t *
by_package (const json_t *packages)
{
  json_t *object = json_object ();
  size_t i;
  json_t *line;
  json_array_foreach ((json_t *) packages, i, line)
    {
      const char *text = json_string_value (line);
      const char *sign = text != NULL ? strstr (text, "==") : NULL;
      g_autofree char *name
          = sign != NULL ? g_strndup (text, (gsize) (sign - text)) : g_strdup (text);
      if (name != NULL)
        vend_json_set_string (object, name, sign != NULL ? sign + strlen ("==") : "");
    }
  return object;
}

static const json_t *
inputs_of (const json_t *openapi, const char *component)
{
  return json_object_get (vend_schema_resolve (openapi, vend_schema_component (openapi, component)),
                          "properties");
}

static void
compare_schema (json_t *list, const VendVersionFacts *a, const VendVersionFacts *b)
{
  compare_members (list, "input", inputs_of (a->openapi, "Input"), inputs_of (b->openapi, "Input"));
  compare_members (list, "training input", inputs_of (a->openapi, "TrainingInput"),
                   inputs_of (b->openapi, "TrainingInput"));
  const json_t *x = vend_schema_component (a->openapi, "Output");
  const json_t *y = vend_schema_component (b->openapi, "Output");
  if (x != y && !json_equal (x, y))
    add (list, "output", "", copy_of (x), copy_of (y));
}

json_t *
vend_versions_diff (const VendVersionFacts *a, const VendVersionFacts *b)
{
  json_t *list = json_array ();
  const json_t *p = a->provenance, *q = b->provenance;
  json_auto_t *weights_a = by_name (json_object_get (p, "weights"), "name");
  json_auto_t *weights_b = by_name (json_object_get (q, "weights"), "name");
  json_auto_t *sets_a = by_set (json_object_get (p, "managed_weights"));
  json_auto_t *sets_b = by_set (json_object_get (q, "managed_weights"));
  json_auto_t *packages_a = by_package (json_object_get (p, "packages"));
  json_auto_t *packages_b = by_package (json_object_get (q, "packages"));
  json_auto_t *files_a = by_name (a->files, "path");
  json_auto_t *files_b = by_name (b->files, "path");
  compare_member (list, "base", p, q);
  compare_members (list, "weights", weights_a, weights_b);
  compare_members (list, "managed weights", sets_a, sets_b);
  compare_member (list, "cog", p, q);
  compare_member (list, "python", p, q);
  compare_members (list, "package", packages_a, packages_b);
  compare_members (list, "config", json_object_get (p, "config"), json_object_get (q, "config"));
  compare_schema (list, a, b);
  compare_members (list, "file", files_a, files_b);
  return list;
}
