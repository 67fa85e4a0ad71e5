/* How outputs are streamed, from the schemas that Cog writes. */
#include "cog/output.h"
#include "model/prediction.h"

static const struct
{
  const char *output; /* the component */
  guint flags;
} cases[] = {
  { "{'type': 'string', 'title': 'Output'}", 0 },
  { "{'type': 'integer'}", 0 },
  { "{'type': 'array', 'items': {'type': 'string'}}", 0 },
  { "{'type': 'string', 'format': 'uri'}", VEND_STREAM_FILES },
  { "{'type': 'array', 'items': {'type': 'string', 'format': 'uri'}}", VEND_STREAM_FILES },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-type': 'iterator'}",
    VEND_STREAM_ITERATES },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-type': 'iterator',"
    " 'x-cog-array-display': 'concatenate'}",
    VEND_STREAM_ITERATES },
  { "{'type': 'array', 'items': {'type': 'string', 'format': 'uri'},"
    " 'x-cog-array-type': 'iterator'}",
    VEND_STREAM_ITERATES | VEND_STREAM_FILES },
  { "{'type': 'array', 'items': {'$ref': '#/components/schemas/Picture'}}", VEND_STREAM_FILES },
  { "{'type': 'object', 'properties': {'a': {'type': 'string', 'format': 'uri'}}}", 0 },
  { "{}", 0 },
  { "7", 0 },
};

static void
test_flags (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("{'components': {'schemas': {'Output': %s,"
                                               " 'Picture': {'type': 'string', 'format': 'uri'}}}}",
                                               cases[i].output);
      g_strdelimit (text, "'", '"');
      json_auto_t *openapi = json_loads (text, 0, NULL);
      g_assert_nonnull (openapi);
      g_assert_cmpuint (vend_cog_stream_flags (openapi), ==, cases[i].flags);
    }
  json_auto_t *empty = json_object ();
  g_assert_cmpuint (vend_cog_stream_flags (empty), ==, 0);
  g_assert_cmpuint (vend_cog_stream_flags (NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cog/output/flags", test_flags);
  return g_test_run ();
}
