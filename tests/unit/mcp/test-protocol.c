/* Revisions of MCP: which one a message is of, what its headers must be, who may call. */
#include "mcp/protocol.h"
#include <string.h>

#define META \
  "'_meta': {'io.modelcontextprotocol/protocolVersion': '2026-07-28', " \
  "'io.modelcontextprotocol/clientCapabilities': {}}"

/* `code` 0: accepted as the revision. */
static const struct
{
  const char *version, *method, *name; /* headers */
  const char *message;                 /* without version and id */
  VendMcpRevision revision;
  int code;
} cases[] = {
  /* Before 2026-07-28. */
  { NULL, NULL, NULL, "'method': 'tools/list'", VEND_MCP_2025_03_26, 0 },
  { "2025-03-26", NULL, NULL, "'method': 'tools/list'", VEND_MCP_2025_03_26, 0 },
  { "2025-06-18", NULL, NULL, "'method': 'tools/list'", VEND_MCP_2025_06_18, 0 },
  { "2025-11-25", "other", "other", "'method': 'tools/list'", VEND_MCP_2025_11_25, 0 },
  { "2024-11-05", NULL, NULL, "'method': 'tools/list'", 0, VEND_MCP_UNSUPPORTED_VERSION },
  { "", NULL, NULL, "'method': 'tools/list'", 0, VEND_MCP_UNSUPPORTED_VERSION },
  { NULL, NULL, NULL, "'method': 'initialize'", VEND_MCP_2025_11_25, 0 },
  { "2099-01-01", NULL, NULL, "'method': 'initialize'", VEND_MCP_2025_11_25, 0 },
  /* From 2026-07-28 on. */
  { "2026-07-28", "tools/list", NULL, "'method': 'tools/list', 'params': {" META "}",
    VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tools/list", "any", "'method': 'tools/list', 'params': {" META "}",
    VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tools/list", NULL, "'method': 'tools/list'", 0, VEND_RPC_INVALID_PARAMS },
  { "2026-07-28", "initialize", NULL, "'method': 'initialize'", 0, VEND_RPC_INVALID_PARAMS },
  { "2026-07-28", "tools/list", NULL,
    "'method': 'tools/list', 'params': {'_meta': {'io.modelcontextprotocol/protocolVersion': "
    "'2026-07-28'}}",
    0, VEND_RPC_INVALID_PARAMS },
  { "2026-07-28", "tools/list", NULL, "'method': 'tools/list', 'params': {'_meta': 7}", 0,
    VEND_RPC_INVALID_PARAMS },
  { NULL, "tools/list", NULL, "'method': 'tools/list', 'params': {" META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2025-11-25", "tools/list", NULL, "'method': 'tools/list', 'params': {" META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", NULL, NULL, "'method': 'tools/list', 'params': {" META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "Tools/list", NULL, "'method': 'tools/list', 'params': {" META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tools/list, tools/list", NULL, "'method': 'tools/list', 'params': {" META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tools/call", "a", "'method': 'tools/call', 'params': {'name': 'a', " META "}",
    VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tools/call", "=?base64?YQ==?=",
    "'method': 'tools/call', 'params': {'name': 'a', " META "}", VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tools/call", "b", "'method': 'tools/call', 'params': {'name': 'a', " META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tools/call", NULL, "'method': 'tools/call', 'params': {'name': 'a', " META "}",
    0, VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tools/call", "=?base64?/w==?=",
    "'method': 'tools/call', 'params': {'name': 'a', " META "}", 0, VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tools/call", NULL, "'method': 'tools/call', 'params': {" META "}",
    VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "resources/read", "vend://a",
    "'method': 'resources/read', 'params': {'uri': 'vend://a', " META "}", VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tasks/get", "a", "'method': 'tasks/get', 'params': {'taskId': 'a', " META "}",
    VEND_MCP_2026_07_28, 0 },
  { "2026-07-28", "tasks/get", NULL, "'method': 'tasks/get', 'params': {'taskId': 'a', " META "}",
    0, VEND_MCP_HEADER_MISMATCH },
  { "2026-07-28", "tasks/get", "b", "'method': 'tasks/get', 'params': {'taskId': 'a', " META "}", 0,
    VEND_MCP_HEADER_MISMATCH },
  { "2099-01-01", "tools/list", NULL,
    "'method': 'tools/list', 'params': {'_meta': {'io.modelcontextprotocol/protocolVersion': "
    "'2099-01-01', 'io.modelcontextprotocol/clientCapabilities': {}}}",
    0, VEND_MCP_UNSUPPORTED_VERSION },
  { "2026-07-28", "tools/list", NULL,
    "'method': 'tools/list', 'params': {'_meta': {'io.modelcontextprotocol/protocolVersion': 7, "
    "'io.modelcontextprotocol/clientCapabilities': {}}}",
    0, VEND_RPC_INVALID_PARAMS },
};

static json_t *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  json_t *value = json_loads (quoted, JSON_DECODE_ANY, NULL);
  g_assert_nonnull (value);
  return value;
}

static void
test_check (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("{'jsonrpc': '2.0', 'id': 1, %s}", cases[i].message);
      json_auto_t *value = parse (text);
      const VendMcpHeaders headers = { cases[i].version, cases[i].method, cases[i].name };
      VendRpcMessage message;
      VendMcpRevision revision = VEND_MCP_N;
      const char *problem = NULL;
      g_auto (VendMcpFault) fault = { 0 };
      g_assert_true (vend_rpc_read (value, &message, &problem));
      g_test_message ("%s", cases[i].message);
      g_assert_true (vend_mcp_check (&headers, &message, &revision, &fault)
                     == (cases[i].code == 0));
      g_assert_cmpint (fault.code, ==, cases[i].code);
      if (cases[i].code == 0)
        g_assert_cmpint (revision, ==, cases[i].revision);
      else
        g_assert_cmpint (fault.status, ==, 400);
      if (cases[i].code == VEND_MCP_UNSUPPORTED_VERSION)
        g_assert_cmpuint (json_array_size (json_object_get (fault.data, "supported")), ==, 4);
    }
}

static void
test_notifications (void)
{
  json_auto_t *value = parse ("{'jsonrpc': '2.0', 'method': 'notifications/x'}");
  const VendMcpHeaders modern = { "2026-07-28", NULL, NULL };
  const VendMcpHeaders unknown = { "1.0", NULL, NULL };
  VendRpcMessage message;
  VendMcpRevision revision = VEND_MCP_N;
  const char *problem = NULL;
  g_auto (VendMcpFault) fault = { 0 };
  g_assert_true (vend_rpc_read (value, &message, &problem));
  g_assert_true (vend_mcp_check (&modern, &message, &revision, &fault));
  g_assert_cmpint (revision, ==, VEND_MCP_2026_07_28);
  g_assert_false (vend_mcp_check (&unknown, &message, &revision, &fault));
}

static void
test_revisions (void)
{
  json_auto_t *names = vend_mcp_revision_names ();
  VendMcpRevision revision;
  g_assert_cmpstr (json_string_value (json_array_get (names, 0)), ==, "2026-07-28");
  for (guint i = 0; i < VEND_MCP_N; i++)
    {
      g_assert_true (vend_mcp_revision_find (vend_mcp_revision_name (i), &revision));
      g_assert_cmpint (revision, ==, i);
    }
  g_assert_false (vend_mcp_revision_find ("2025-03-2", &revision));
}

static void
test_status (void)
{
  g_assert_cmpint (vend_mcp_status (VEND_MCP_2025_11_25, VEND_RPC_NO_METHOD), ==, 200);
  g_assert_cmpint (vend_mcp_status (VEND_MCP_2025_11_25, VEND_RPC_PARSE_ERROR), ==, 400);
  g_assert_cmpint (vend_mcp_status (VEND_MCP_MODERN, VEND_RPC_NO_METHOD), ==, 404);
  g_assert_cmpint (vend_mcp_status (VEND_MCP_MODERN, VEND_RPC_INVALID_PARAMS), ==, 400);
  g_assert_cmpint (vend_mcp_status (VEND_MCP_MODERN, VEND_RPC_INTERNAL), ==, 200);
}

static void
test_tasks (void)
{
  json_auto_t *with = parse ("{'_meta': {'io.modelcontextprotocol/clientCapabilities': "
                             "{'extensions': {'io.modelcontextprotocol/tasks': {}}}}}");
  json_auto_t *without
      = parse ("{'_meta': {'io.modelcontextprotocol/clientCapabilities': {'tasks': {}}}}");
  g_assert_true (vend_mcp_takes_tasks (with));
  g_assert_false (vend_mcp_takes_tasks (without));
  g_assert_false (vend_mcp_takes_tasks (NULL));
}

static void
test_header_text (void)
{
  static const char *const texts[][2] = {
    { "plain", "plain" },
    { "=?base64?", "=?base64?" },
    { "=?base64?"
      "?=",
      "" },
    { "=?base64?4oKs?=", "\xe2\x82\xac" },
    { "=?base64?/w==?=", NULL },
    { "=?Base64?YQ==?=", "=?Base64?YQ==?=" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = vend_mcp_header_text (texts[i][0]);
      g_assert_cmpstr (text, ==, texts[i][1]);
    }
}

static void
test_origins (void)
{
  static const struct
  {
    const char *origin, *public_url, *cors;
    bool may_call;
  } origins[] = {
    { "http://localhost", NULL, "*", true },
    { "http://LOCALHOST:8363", "", "*", true },
    { "https://127.0.0.1:1", NULL, "", true },
    { "http://[::1]:3000", NULL, "", true },
    { "http://localhost.evil.example", NULL, "*", false },
    { "http://localhost:", NULL, "*", false },
    { "http://localhost:80x", NULL, "*", false },
    { "http://127.0.0.1.evil.example:80", NULL, "*", false },
    { "http://evil.example", NULL, "*", false },
    { "*", NULL, "*", false },
    { "null", NULL, "*", false },
    { "", NULL, "", false },
    { "file://localhost", NULL, "*", false },
    { "https://vend.example", "https://vend.example/", "*", true },
    { "http://vend.example", "https://vend.example", "*", false },
    { "https://a.example", NULL, "https://b.example, https://A.example", true },
    { "https://a.example:1", NULL, "https://b.example,https://a.example", false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (origins); i++)
    {
      g_test_message ("%s", origins[i].origin);
      g_assert_true (
          vend_mcp_origin_may_call (origins[i].origin, origins[i].public_url, origins[i].cors)
          == origins[i].may_call);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mcp/protocol/check", test_check);
  g_test_add_func ("/mcp/protocol/notifications", test_notifications);
  g_test_add_func ("/mcp/protocol/revisions", test_revisions);
  g_test_add_func ("/mcp/protocol/status", test_status);
  g_test_add_func ("/mcp/protocol/tasks", test_tasks);
  g_test_add_func ("/mcp/protocol/header-text", test_header_text);
  g_test_add_func ("/mcp/protocol/origins", test_origins);
  return g_test_run ();
}
