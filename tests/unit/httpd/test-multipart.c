/* Forms in pieces of every size, and forms that must be refused. */
#include "base/error.h"
#include "httpd/multipart-private.h"
#include <string.h>

static bool
on_begin (void *context, const char *name, const char *filename, const char *content_type,
          GError **error)
{
  g_string_append_printf (context, "[%s|%s|%s|", name, filename != NULL ? filename : "-",
                          content_type != NULL ? content_type : "-");
  return true;
}

static bool
on_data (void *context, const char *data, gsize size, GError **error)
{
  g_string_append_len (context, data, (gssize) size);
  return true;
}

static bool
on_end (void *context, GError **error)
{
  g_string_append (context, "]");
  return true;
}

static const VendMultipartEvents events = { on_begin, on_data, on_end };

static bool
parse (const char *body, gsize size, gsize piece, GString *seen, GError **error)
{
  g_autoptr (VendMultipart) multipart = vend_multipart_new ("XX", &events, seen);
  for (gsize at = 0; at < size; at += piece)
    if (!vend_multipart_feed (multipart, body + at, MIN (piece, size - at), error))
      return false;
  return vend_multipart_finish (multipart, error);
}

#define PART "Content-Disposition: form-data; name="

static void
test_good (void)
{
  static const struct
  {
    const char *body, *seen;
  } good[] = {
    { "--XX\r\n" PART "\"a\"\r\n\r\n1\r\n--XX--\r\n", "[a|-|-|1]" },
    { "--XX\r\n" PART "\"a\"\r\n\r\n\r\n--XX--", "[a|-|-|]" },
    { "--XX--\r\n", "" },
    { "preamble\r\n--XX  \r\n" PART "a\r\n\r\n1\r\n--XX--\r\nepilogue --XX\r\n", "[a|-|-|1]" },
    { "--XX\r\n" PART "\"f[x]\"; filename=\"a;\\\"b.txt\"\r\ncontent-type: text/x\r\n\r\n"
      "\r\n--X\r\n--Xx\r\n-\r\n--XX\r\n" PART "\"b\"; filename=\"\"\r\nX-Other: y\r\n\r\n--XX\r\n"
      "--XX--",
      "[f[x]|a;\"b.txt|text/x|\r\n--X\r\n--Xx\r\n-][b||-|--XX]" },
    { "--XX\r\nContent-Type: application/json\r\n" PART "\"m\"\r\n\r\n{}\r\n--XX--",
      "[m|-|application/json|{}]" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    for (gsize piece = 1; piece <= strlen (good[i].body); piece++)
      {
        g_autoptr (GString) seen = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        parse (good[i].body, strlen (good[i].body), piece, seen, &error);
        g_assert_no_error (error);
        g_assert_cmpstr (seen->str, ==, good[i].seen);
      }
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "",
    "no boundary at all",
    "--XX",
    "--XX\r\n",
    "--XX\r\n" PART "\"a\"\r\n\r\n1",
    "--XX\r\n" PART "\"a\"\r\n\r\n1\r\n--XX",
    "--XX\r\n" PART "\"a\"\r\n\r\n1\r\n--XX-",
    "--XX\r\n" PART "\"a\"\r\n\r\n1\r\n--XXjunk\r\n",
    "--XX\r\n\r\nno head\r\n--XX--",
    "--XX\r\nContent-Type: a\r\n\r\nno name\r\n--XX--",
    "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--XX--",
    "--XX\r\nnonsense\r\n\r\n1\r\n--XX--",
    "--XX\r\n" PART "\"\xff\"\r\n\r\n1\r\n--XX--",
    "--XX\r\n" PART "\"a\"\r\n" PART "\"b\"\r\n\r\n1\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; filename=\"a\"\r\n" PART
    "\"b\"; filename=\"c\"\r\n\r\n1\r\n--XX--",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    for (gsize piece = 1; piece <= strlen (bad[i]) + 1; piece++)
      {
        g_autoptr (GString) seen = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        g_assert_false (parse (bad[i], strlen (bad[i]), piece, seen, &error));
        g_assert_error (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST);
      }
}

static void
test_limits (void)
{
  g_autoptr (GString) body = g_string_new ("--XX\r\n" PART "\"");
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  for (gsize i = 0; i < VEND_MULTIPART_HEAD_BYTES; i++)
    g_string_append_c (body, 'a');
  g_assert_false (parse (body->str, body->len, 100, seen, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_string_assign (body, "--XX");
  for (gsize i = 0; i < VEND_MULTIPART_HEAD_BYTES + 100; i++)
    g_string_append_c (body, ' ');
  g_assert_false (parse (body->str, body->len, 100, seen, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST);
}

/* A body at a limit passes, or not, whatever the pieces it comes in. */
static void
test_limits_in_pieces (void)
{
  static const gsize pieces[] = { 1, 2, 3, 5, 8191, 8192, 8193, 100000 };
  for (gsize extra = 0; extra < 3; extra++)
    for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
      {
        const gsize size = VEND_MULTIPART_HEAD_BYTES - 1 + extra;
        g_autoptr (GString) seen = g_string_new (NULL);
        g_autofree char *padding = g_strnfill (size, ' ');
        g_autofree char *filler = g_strnfill (size - strlen ("\r\n" PART "a\r\nX:"), 'x');
        g_autofree char *padded
            = g_strconcat ("--XX", padding, "\r\n" PART "a\r\n\r\n1\r\n--XX--", NULL);
        g_autofree char *headed
            = g_strconcat ("--XX\r\n" PART "a\r\nX:", filler, "\r\n\r\n1\r\n--XX--", NULL);
        g_assert_true (parse (padded, strlen (padded), pieces[i], seen, NULL) == (extra < 2));
        g_assert_true (parse (headed, strlen (headed), pieces[i], seen, NULL) == (extra < 2));
      }
}

static void
test_boundary (void)
{
  static const struct
  {
    const char *type, *boundary;
  } cases[] = {
    { "multipart/form-data; boundary=abc", "abc" },
    { "Multipart/Form-Data;charset=utf-8;Boundary=\"a b\"", "a b" },
    { "multipart/form-data; boundary=abc; charset=utf-8", "abc" },
    { "multipart/form-data", NULL },
    { "multipart/form-data; boundary=", NULL },
    { "multipart/mixed; boundary=abc", NULL },
    { "application/json", NULL },
    { "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890"
      "1234567890",
      NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *boundary = vend_multipart_boundary (cases[i].type);
      g_assert_cmpstr (boundary, ==, cases[i].boundary);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/multipart/good", test_good);
  g_test_add_func ("/multipart/bad", test_bad);
  g_test_add_func ("/multipart/limits", test_limits);
  g_test_add_func ("/multipart/limits-in-pieces", test_limits_in_pieces);
  g_test_add_func ("/multipart/boundary", test_boundary);
  return g_test_run ();
}
