/* Messages of JSON-RPC: which are ones, and what is wrong with others. */
#include "mcp/json-rpc.h"
#include <string.h>

static const struct
{
  const char *text;
  VendRpcKind kind;
  const char *id; /* as JSON, or NULL */
} good[] = {
  { "{'jsonrpc': '2.0', 'id': 1, 'method': 'ping'}", VEND_RPC_REQUEST, "1" },
  { "{'jsonrpc': '2.0', 'id': 'a', 'method': 'ping', 'params': {}}", VEND_RPC_REQUEST, "\"a\"" },
  { "{'jsonrpc': '2.0', 'id': -7, 'method': ''}", VEND_RPC_REQUEST, "-7" },
  { "{'jsonrpc': '2.0', 'method': 'notifications/initialized'}", VEND_RPC_NOTIFICATION, NULL },
  { "{'jsonrpc': '2.0', 'id': 1, 'result': {}}", VEND_RPC_RESPONSE, "1" },
  { "{'jsonrpc': '2.0', 'id': null, 'error': {}}", VEND_RPC_RESPONSE, NULL },
};

static const struct
{
  const char *text;
  const char *problem;
  bool has_id;
} bad[] = {
  { "7", "object", false },
  { "[]", "object", false },
  { "{}", "jsonrpc", false },
  { "{'jsonrpc': '1.0', 'id': 1, 'method': 'ping'}", "jsonrpc", true },
  { "{'jsonrpc': 2.0, 'id': 1, 'method': 'ping'}", "jsonrpc", true },
  { "{'jsonrpc': '2.0', 'id': null, 'method': 'ping'}", "id", false },
  { "{'jsonrpc': '2.0', 'id': 1.5, 'method': 'ping'}", "id", false },
  { "{'jsonrpc': '2.0', 'id': 18446744073709551615, 'method': 'ping'}", "id", false },
  { "{'jsonrpc': '2.0', 'id': [1], 'method': 'ping'}", "id", false },
  { "{'jsonrpc': '2.0', 'id': 1, 'method': 7}", "method", true },
  { "{'jsonrpc': '2.0', 'id': 1, 'method': 'ping', 'params': []}", "params", true },
  { "{'jsonrpc': '2.0', 'id': 1}", "method", true },
  { "{'jsonrpc': '2.0', 'id': 1, 'result': {}, 'error': {}}", "method", true },
};

static json_t *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  json_t *value = NULL;
  g_assert_true (vend_json_parse (quoted, strlen (quoted), &value, NULL));
  return value;
}

static void
test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      json_auto_t *value = parse (good[i].text);
      VendRpcMessage message;
      const char *problem = NULL;
      g_assert_true (vend_rpc_read (value, &message, &problem));
      g_assert_cmpint (message.kind, ==, good[i].kind);
      g_autofree char *id = message.id != NULL ? vend_json_text (message.id) : NULL;
      g_assert_cmpstr (id, ==, good[i].id);
    }
}

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_auto_t *value = parse (bad[i].text);
      VendRpcMessage message;
      const char *problem = NULL;
      g_assert_false (vend_rpc_read (value, &message, &problem));
      g_assert_nonnull (strstr (problem, bad[i].problem));
      g_assert_true ((message.id != NULL) == bad[i].has_id);
    }
}

static void
check_text (json_t *take, const char *expected)
{
  json_auto_t *value = take;
  g_autofree char *text = vend_json_text (value);
  g_strdelimit (text, "\"", '\'');
  g_assert_cmpstr (text, ==, expected);
}

static void
test_make (void)
{
  json_auto_t *id = json_integer (3);
  check_text (vend_rpc_result (id, json_object ()), "{'jsonrpc':'2.0','id':3,'result':{}}");
  check_text (vend_rpc_error (NULL, -32700, "no", NULL),
              "{'jsonrpc':'2.0','error':{'code':-32700,'message':'no'}}");
  check_text (vend_rpc_error (id, 1, "no\xff", json_true ()),
              "{'jsonrpc':'2.0','id':3,'error':{'code':1,'message':'no\xef\xbf\xbd','data':true}}");
  check_text (vend_rpc_notification ("a/b", json_object ()),
              "{'jsonrpc':'2.0','method':'a/b','params':{}}");
}

/* A big integer is a string for the library alone. */
static void
test_text (void)
{
  json_auto_t *value = parse ("{'a': 'x', 'b': 18446744073709551615, 'c': 1}");
  g_assert_cmpstr (vend_rpc_text (value, "a"), ==, "x");
  g_assert_null (vend_rpc_text (value, "b"));
  g_assert_null (vend_rpc_text (value, "c"));
  g_assert_null (vend_rpc_text (value, "d"));
  g_assert_null (vend_rpc_text (NULL, "a"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mcp/json-rpc/good", test_good);
  g_test_add_func ("/mcp/json-rpc/bad", test_bad);
  g_test_add_func ("/mcp/json-rpc/make", test_make);
  g_test_add_func ("/mcp/json-rpc/text", test_text);
  return g_test_run ();
}
