/* Errors in the form of these clients. */
#include "openai/error.h"
#include "schemas.h"

static const struct
{
  int status;
  const char *problem;
  int own_status;
  const char *error; /* without the message */
} cases[] = {
  { 401, "{'detail': 'x', 'type': 'urn:vend:error:unauthorized'}", 401,
    "{'type': 'authentication_error', 'param': null, 'code': 'invalid_api_key'}" },
  { 422, "{'detail': 'x', 'type': 'urn:vend:error:invalid', 'param': 'input'}", 400,
    "{'type': 'invalid_request_error', 'param': 'input', 'code': 'invalid'}" },
  { 429, "{'detail': 'x'}", 429, "{'type': 'rate_limit_error', 'param': null, 'code': null}" },
  { 402, "{'detail': 'x'}", 402, "{'type': 'insufficient_quota', 'param': null, 'code': null}" },
  { 403, "{'detail': 'x'}", 403, "{'type': 'permission_error', 'param': null, 'code': null}" },
  { 503, "{'title': 'x', 'code': 'busy'}", 503,
    "{'type': 'server_error', 'param': null, 'code': 'busy'}" },
};

static void
test_of_problems (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int status = 0;
      json_auto_t *problem = quoted (cases[i].problem);
      json_auto_t *expected = quoted (cases[i].error);
      json_auto_t *made = vend_openai_error_of_problem (cases[i].status, problem, &status);
      json_object_set_new (expected, "message", json_string ("x"));
      g_assert_true (json_equal (json_object_get (made, "error"), expected));
      g_assert_cmpint (status, ==, cases[i].own_status);
    }
}

static void
test_paths (void)
{
  g_assert_true (vend_openai_has_path ("/openai/v1/anything"));
  g_assert_true (vend_openai_has_path ("/v1/chat/completions"));
  g_assert_true (vend_openai_has_path ("/v1/images/generations"));
  g_assert_false (vend_openai_has_path ("/v1/models"));
  g_assert_false (vend_openai_has_path ("/v1/predictions"));
  g_assert_false (vend_openai_has_path ("/"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/error/of-problems", test_of_problems);
  g_test_add_func ("/openai/error/paths", test_paths);
  return g_test_run ();
}
