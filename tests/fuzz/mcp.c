/* Messages of MCP with their headers, and schemas of models as schemas of tools. Three lines of
 * headers ("-" for none), then a JSON text, which is taken for a message and for a document. */
#include "fuzz.h"
#include "mcp/progress.h"
#include "mcp/protocol.h"
#include "mcp/tool-schema.h"
#include <string.h>

static char *
take_header (FuzzInput *input)
{
  g_autofree char *line = fuzz_take_line (input);
  return strcmp (line, "-") == 0 ? NULL : g_steal_pointer (&line);
}

static void
check_message (const json_t *value, const VendMcpHeaders *headers)
{
  VendRpcMessage message;
  VendMcpRevision revision = VEND_MCP_N;
  const char *problem = NULL;
  g_auto (VendMcpFault) fault = { 0 };
  if (!vend_rpc_read (value, &message, &problem))
    {
      fuzz_check_utf8 (problem);
      return;
    }
  g_assert_true ((message.method == NULL) == (message.kind == VEND_RPC_RESPONSE));
  (void) vend_mcp_takes_tasks (message.params);
  if (vend_mcp_check (headers, &message, &revision, &fault))
    {
      g_assert_cmpint (revision, <, VEND_MCP_N);
      g_assert_null (fault.message);
      return;
    }
  g_assert_cmpint (fault.status, ==, 400);
  json_auto_t *answer
      = vend_rpc_error (message.id, fault.code, fault.message, json_incref (fault.data));
  fuzz_check_json (answer);
}

/* Nothing refers to anything, and what is an object stays one. */
static void
check_schema (json_t *take)
{
  json_auto_t *schema = take;
  fuzz_check_json (schema);
  g_assert_true (json_is_object (schema));
  g_assert_null (json_object_get (schema, "$ref"));
  g_assert_null (json_object_get (schema, "x-order"));
}

static void
check_document (json_t *document)
{
  json_auto_t *before = json_deep_copy (document);
  json_t *input = vend_mcp_input_schema (document);
  g_assert_cmpstr (vend_json_string (input, "type"), ==, "object");
  check_schema (input);
  check_schema (vend_mcp_output_schema (document));
  json_auto_t *value = vend_mcp_output_value (document, document);
  g_assert_nonnull (value);
  (void) vend_mcp_takes_files (document);
  g_assert_true (json_equal (before, document));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *version = take_header (&input);
  g_autofree char *method = take_header (&input);
  g_autofree char *name = take_header (&input);
  const VendMcpHeaders headers = { version, method, name };
  json_auto_t *value = NULL;
  if (version != NULL)
    {
      (void) vend_mcp_origin_may_call (version, method, name != NULL ? name : "*");
      const double percent = vend_mcp_percent (version);
      g_assert_true (percent == -1 || (percent >= 0 && percent <= 100));
      g_autofree char *text = vend_mcp_header_text (version);
      g_assert_true (text == NULL || strcmp (text, version) == 0
                     || g_utf8_validate (text, -1, NULL));
    }
  if (!vend_json_parse (input.data, input.size, &value, NULL))
    return 0;
  check_message (value, &headers);
  check_document (value);
  return 0;
}
