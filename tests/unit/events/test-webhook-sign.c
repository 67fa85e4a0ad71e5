/* Signatures of webhooks: the published example, and what must not pass. */
#include "base/error.h"
#include "base/hash.h"
#include "events/webhook-sign.h"
#include <string.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define AT_S 1614265330
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void
test_example (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *made = NULL;
  g_assert_true (vend_webhook_sign (SECRET, ID, AT_S, BODY, strlen (BODY), &made, &error));
  g_assert_cmpstr (made, ==, SIGNATURE);
}

static void
test_verify (void)
{
  static const struct
  {
    const char *secret, *id, *body, *signatures;
    int64_t at_s;
    bool good;
  } cases[] = {
    { SECRET, ID, BODY, SIGNATURE, AT_S, true },
    { SECRET, ID, BODY, "v1,AAAA " SIGNATURE, AT_S, true },
    { SECRET, ID, BODY, SIGNATURE " v2,x", AT_S, true },
    { SECRET, ID, BODY, "", AT_S, false },
    { SECRET, ID, BODY, "v1," SIGNATURE, AT_S, false },
    { SECRET, ID, BODY " ", SIGNATURE, AT_S, false },
    { SECRET, ID "x", BODY, SIGNATURE, AT_S, false },
    { SECRET, ID, BODY, SIGNATURE, AT_S + 1, false },
    { "whsec_AAAA", ID, BODY, SIGNATURE, AT_S, false },
    { "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ID, BODY, SIGNATURE, AT_S, false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vend_webhook_verify (cases[i].secret, cases[i].id, cases[i].at_s,
                                          cases[i].body, strlen (cases[i].body),
                                          cases[i].signatures),
                     ==, cases[i].good);
}

static void
test_bad_keys (void)
{
  static const char *const bad[] = { "", "x", "whsec_", "whsec" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *made = NULL;
      g_assert_false (vend_webhook_sign (bad[i], ID, AT_S, BODY, strlen (BODY), &made, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
}

/* RFC 4231, test cases 1 and 2. */
static void
test_hmac (void)
{
  guint8 mac[VEND_HMAC_SIZE], key[20];
  memset (key, 0x0b, sizeof key);
  vend_hmac_sha256 (key, sizeof key, "Hi ", "There", 5, mac);
  g_assert_cmpmem (mac, 4, "\xb0\x34\x4c\x61", 4);
  vend_hmac_sha256 ("Jefe", 4, "", "what do ya want for nothing?", 28, mac);
  g_assert_cmpmem (mac, 4, "\x5b\xdc\xc1\x46", 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/webhook-sign/example", test_example);
  g_test_add_func ("/webhook-sign/verify", test_verify);
  g_test_add_func ("/webhook-sign/bad-keys", test_bad_keys);
  g_test_add_func ("/webhook-sign/hmac", test_hmac);
  return g_test_run ();
}
