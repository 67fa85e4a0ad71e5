/* What an answer 404 says is not there. */
#include "cli/client/missing.h"

static void
test_things (void)
{
  static const struct
  {
    const char *path;
    const char *thing; /* NULL: none */
  } cases[] = {
    { "/v1/models/lab/echo", "model lab/echo" },
    { "/v1/models/lab/echo/scaling", "model lab/echo" },
    { "/v1/models/lab/echo/versions", "model lab/echo" },
    { "/v1/models/lab/echo/versions/ab12", "version ab12 of lab/echo" },
    { "/v1/models/lab/echo/secrets/HF_TOKEN", "secret HF_TOKEN of lab/echo" },
    { "/v1/models/lab/echo/versions/ab12/trainings", "version ab12 of lab/echo" },
    { "/v1/deployments/lab/prod/predictions", "deployment lab/prod" },
    { "/v1/predictions/x1/cancel", "prediction x1" },
    { "/v1/trainings/x1?a=b", "training x1" },
    { "/v1/webhooks/deliveries/msg_1/replay", "delivery msg_1" },
    { "/v1/accounts/a%20b/budget", "account a b" },
    { "/v1/accounts/a%00b", "account a%00b" },
    { "/v1/usage?group_by=day&account=ada", "account ada" },
    { "/v1/decisions?model=lab%2Fecho", "model lab/echo" },
    { "/v1/history?model=lab%2Fecho&account=ada", "account ada or model lab/echo" },
    { "/v1/usage?accounts=ada", NULL },
    { "/v1/models", NULL },
    { "/v1/models/", NULL },
    { "/v1/models/lab", NULL },
    { "/v1/predictions/", NULL },
    { "/v1/webhooks/default/secret", NULL },
    { "http://h/v1/models/lab/echo", NULL },
    { "", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *thing = vend_missing_thing (cases[i].path);
      g_assert_cmpstr (thing, ==, cases[i].thing);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/missing/things", test_things);
  return g_test_run ();
}
