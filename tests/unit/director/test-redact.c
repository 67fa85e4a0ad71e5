/* Values of secrets in texts, in pieces of texts and in JSON. */
#include "director/redact.h"
#include <string.h>

static VendRedactor *
make (void)
{
  VendRedactor *redactor = vend_redactor_new ();
  g_assert_true (vend_redactor_is_empty (redactor));
  vend_redactor_add (redactor, "SHORT", "1234567");
  g_assert_true (vend_redactor_is_empty (redactor));
  vend_redactor_add (redactor, "TOKEN", "hf_abcdefgh");
  vend_redactor_add (redactor, "LONGER", "hf_abcdefghijk");
  vend_redactor_add (redactor, "KEY", "-----BEGIN-----\nabcdefgh12\r\nshort\n-----END-----\n");
  g_assert_false (vend_redactor_is_empty (redactor));
  return redactor;
}

static const struct
{
  const char *text, *shown;
} cases[] = {
  { "", "" },
  { "nothing 1234567 here", "nothing 1234567 here" },
  { "hf_abcdefgh", "[secret TOKEN]" },
  { "a hf_abcdefgh.", "a [secret TOKEN]." },
  { "hf_abcdefghhf_abcdefgh", "[secret TOKEN][secret TOKEN]" },
  { "hf_abcdefghi", "[secret TOKEN]i" },
  { "hf_abcdefghijk!", "[secret LONGER]!" },
  { "hf_abcdefg", "hf_abcdefg" },
  { "hhf_hf_abcdefgh_", "hhf_[secret TOKEN]_" },
  { "HF_ABCDEFGH", "HF_ABCDEFGH" },
  { "key: abcdefgh12, short", "key: [secret KEY], short" },
  { "-----BEGIN-----\nabcdefgh12\r\nshort\n-----END-----\n", "[secret KEY]" },
  { "\u00e4hf_abcdefgh\u00e4", "\u00e4[secret TOKEN]\u00e4" },
};

static void
test_texts (void)
{
  g_autoptr (VendRedactor) redactor = make ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = vend_redact_text (redactor, cases[i].text);
      g_assert_cmpstr (shown, ==, cases[i].shown);
      g_autofree char *same = vend_redact_text (NULL, cases[i].text);
      g_assert_cmpstr (same, ==, cases[i].text);
    }
}

/* In pieces of any size the same comes out, and nothing of a secret before it is whole. */
static void
test_pieces (void)
{
  g_autoptr (VendRedactor) redactor = make ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize size = 1; size <= 5; size++)
      {
        const char *text = cases[i].text;
        g_autoptr (GString) held = g_string_new (NULL);
        g_autoptr (GString) out = g_string_new (NULL);
        for (gsize at = 0; at < strlen (text); at += size)
          {
            vend_redact_piece (redactor, held, text + at, MIN (size, strlen (text) - at), false,
                               out);
            g_assert_true (g_str_has_prefix (cases[i].shown, out->str));
          }
        vend_redact_piece (redactor, held, "", 0, true, out);
        g_assert_cmpstr (out->str, ==, cases[i].shown);
        g_assert_cmpuint (held->len, ==, 0);
      }
  /* A whole line is not waited with. */
  g_autoptr (GString) held = g_string_new (NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  vend_redact_piece (redactor, held, "a line\nh", 8, false, out);
  g_assert_cmpstr (out->str, ==, "a line\n");
}

static void
test_json (void)
{
  g_autoptr (VendRedactor) redactor = make ();
  g_autoptr (GError) error = NULL;
  const char *text = "{\"output\":[\"x hf_abcdefgh\",{\"hf_abcdefgh\":1.5,\"a\":null}],"
                     "\"big\":18446744073709551615}";
  json_auto_t *value = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &value, &error));
  vend_redact_json (redactor, value);
  g_autofree char *shown = vend_json_text (value);
  g_assert_cmpstr (shown, ==,
                   "{\"output\":[\"x [secret TOKEN]\",{\"a\":null,\"[secret TOKEN]\":1.5}],"
                   "\"big\":18446744073709551615}");
  vend_redact_json (redactor, NULL);
  vend_redact_json (NULL, value);
}

/* A secret may be any word, also one of the protocol. */
static void
test_frames (void)
{
  static const struct
  {
    const char *frame, *shown;
  } frames[] = {
    { "{\"event\":\"completed\",\"status\":\"succeeded\",\"prediction\":\"completed\","
      "\"output\":\"completed\",\"logs\":\"it succeeded\\n\",\"error_code\":\"succeeded\"}",
      "{\"event\":\"completed\",\"status\":\"succeeded\",\"prediction\":\"completed\","
      "\"output\":\"[secret A]\",\"logs\":\"it [secret B]\\n\",\"error_code\":\"succeeded\"}" },
    { "{\"event\":\"hello\",\"version\":\"completed\",\"running\":[{\"prediction\":\"completed\","
      "\"output\":[\"completed\"]}]}",
      "{\"event\":\"hello\",\"version\":\"completed\",\"running\":[{\"prediction\":\"completed\","
      "\"output\":[\"[secret A]\"]}]}" },
    { "{\"chunk\":{\"$vend.file\":{\"path\":\"/x/completed\",\"name\":\"completed.txt\"}}}",
      "{\"chunk\":{\"$vend.file\":{\"path\":\"/x/completed\",\"name\":\"[secret A].txt\"}}}" },
    { "{\"event\":\"metric\",\"name\":\"completed\",\"value\":\"succeeded\",\"mode\":\"replace\"}",
      "{\"event\":\"metric\",\"name\":\"[secret A]\",\"value\":\"[secret "
      "B]\",\"mode\":\"replace\"}" },
  };
  g_autoptr (VendRedactor) redactor = vend_redactor_new ();
  vend_redactor_add (redactor, "A", "completed");
  vend_redactor_add (redactor, "B", "succeeded");
  for (gsize i = 0; i < G_N_ELEMENTS (frames); i++)
    {
      json_auto_t *frame = NULL;
      g_assert_true (vend_json_parse (frames[i].frame, strlen (frames[i].frame), &frame, NULL));
      vend_redact_frame (redactor, frame);
      g_autofree char *shown = vend_json_text (frame);
      g_assert_cmpstr (shown, ==, frames[i].shown);
      vend_redact_frame (NULL, frame);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/redact/texts", test_texts);
  g_test_add_func ("/redact/pieces", test_pieces);
  g_test_add_func ("/redact/json", test_json);
  g_test_add_func ("/redact/frames", test_frames);
  return g_test_run ();
}
