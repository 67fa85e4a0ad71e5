/* Revisions of MCP and what their HTTP requests must have. Pure. */
#include "mcp/protocol.h"
#include <string.h>

#define ENCODED_START "=?base64?"
#define ENCODED_END "?="

static const char *const revision_names[VEND_MCP_N] = {
  [VEND_MCP_2025_03_26] = "2025-03-26",
  [VEND_MCP_2025_06_18] = "2025-06-18",
  [VEND_MCP_2025_11_25] = "2025-11-25",
  [VEND_MCP_2026_07_28] = "2026-07-28",
};

/* Methods whose requests repeat a parameter in Mcp-Name. */
static const struct
{
  const char *method;
  const char *param;
} named[] = {
  { "tools/call", "name" },  { "prompts/get", "name" },    { "resources/read", "uri" },
  { "tasks/get", "taskId" }, { "tasks/update", "taskId" }, { "tasks/cancel", "taskId" },
};

const char *
vend_mcp_revision_name (VendMcpRevision revision)
{
  return revision_names[revision];
}

bool
vend_mcp_revision_find (const char *name, VendMcpRevision *out)
{
  for (guint i = 0; i < VEND_MCP_N; i++)
    if (strcmp (name, revision_names[i]) == 0)
      {
        *out = (VendMcpRevision) i;
        return true;
      }
  return false;
}

json_t *
vend_mcp_revision_names (void)
{
  json_t *names = json_array ();
  for (guint i = VEND_MCP_N; i > 0; i--)
    json_array_append_new (names, json_string (revision_names[i - 1]));
  return names;
}

void
vend_mcp_fault_clear (VendMcpFault *fault)
{
  g_clear_pointer (&fault->message, g_free);
  g_clear_pointer (&fault->data, json_decref);
}

static bool
refuse (VendMcpFault *fault, int code, char *take_message)
{
  *fault = (VendMcpFault){ 400, code, take_message, NULL };
  return false;
}

static bool
refuse_version (VendMcpFault *fault, const char *requested)
{
  refuse (fault, VEND_MCP_UNSUPPORTED_VERSION, g_strdup ("Unsupported protocol version"));
  fault->data = json_object ();
  json_object_set_new (fault->data, "supported", vend_mcp_revision_names ());
  vend_json_set_string (fault->data, "requested", requested);
  return false;
}

char *
vend_mcp_header_text (const char *value)
{
  const gsize size = strlen (value);
  const gsize around = strlen (ENCODED_START) + strlen (ENCODED_END);
  if (size < around || !g_str_has_prefix (value, ENCODED_START)
      || !g_str_has_suffix (value, ENCODED_END))
    return g_strdup (value);
  g_autofree char *encoded = g_strndup (value + strlen (ENCODED_START), size - around);
  gsize decoded_size = 0;
  g_autofree guchar *decoded = g_base64_decode (encoded, &decoded_size);
  return g_utf8_validate ((const char *) decoded, (gssize) decoded_size, NULL)
             ? g_strndup ((const char *) decoded, decoded_size)
             : NULL;
}

static bool
check_name (const VendMcpHeaders *headers, const VendRpcMessage *message, VendMcpFault *fault)
{
  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    {
      if (strcmp (message->method, named[i].method) != 0)
        continue;
      const char *said = vend_rpc_text (message->params, named[i].param);
      g_autofree char *header = headers->name != NULL ? vend_mcp_header_text (headers->name) : NULL;
      if (said == NULL || g_strcmp0 (header, said) == 0)
        return true;
      return refuse (fault, VEND_MCP_HEADER_MISMATCH,
                     g_strdup_printf ("Header mismatch: Mcp-Name does not match %s of the body",
                                      named[i].param));
    }
  return true;
}

static bool
check_modern (const VendMcpHeaders *headers, const VendRpcMessage *message, VendMcpFault *fault)
{
  const json_t *meta = json_object_get (message->params, "_meta");
  const json_t *version = json_object_get (meta, VEND_MCP_META_VERSION);
  if (version == NULL || !json_is_object (json_object_get (meta, VEND_MCP_META_CAPABILITIES)))
    return refuse (fault, VEND_RPC_INVALID_PARAMS,
                   g_strdup ("params._meta: expected " VEND_MCP_META_VERSION
                             " and " VEND_MCP_META_CAPABILITIES));
  const char *text = vend_json_is_string (version) ? json_string_value (version) : NULL;
  if (headers->version == NULL || (text != NULL && strcmp (headers->version, text) != 0))
    return refuse (fault, VEND_MCP_HEADER_MISMATCH,
                   g_strdup ("Header mismatch: MCP-Protocol-Version does not match the version in "
                             "_meta of the body"));
  if (headers->method == NULL || strcmp (headers->method, message->method) != 0)
    return refuse (fault, VEND_MCP_HEADER_MISMATCH,
                   g_strdup ("Header mismatch: Mcp-Method does not match the method of the body"));
  if (!check_name (headers, message, fault))
    return false;
  if (text == NULL)
    return refuse (fault, VEND_RPC_INVALID_PARAMS,
                   g_strdup (VEND_MCP_META_VERSION ": expected a string"));
  return strcmp (text, revision_names[VEND_MCP_MODERN]) == 0 || refuse_version (fault, text);
}

bool
vend_mcp_check (const VendMcpHeaders *headers, const VendRpcMessage *message, VendMcpRevision *out,
                VendMcpFault *fault)
{
  /* Such clients do not send the header. */
  VendMcpRevision revision = VEND_MCP_2025_03_26;
  const bool is_known
      = headers->version == NULL || vend_mcp_revision_find (headers->version, &revision);
  if (message->kind == VEND_RPC_REQUEST)
    {
      const json_t *meta = json_object_get (message->params, "_meta");
      if (json_object_get (meta, VEND_MCP_META_VERSION) != NULL || revision >= VEND_MCP_MODERN)
        {
          *out = VEND_MCP_MODERN;
          return check_modern (headers, message, fault);
        }
      if (strcmp (message->method, "initialize") == 0)
        {
          *out = VEND_MCP_LAST_LEGACY;
          return true;
        }
    }
  if (!is_known)
    return refuse_version (fault, headers->version);
  *out = revision;
  return true;
}

int
vend_mcp_status (VendMcpRevision revision, int code)
{
  if (code == VEND_RPC_PARSE_ERROR || code == VEND_RPC_INVALID_REQUEST)
    return 400;
  if (revision < VEND_MCP_MODERN || code == VEND_RPC_INTERNAL)
    return 200;
  return code == VEND_RPC_NO_METHOD ? 404 : 400;
}

bool
vend_mcp_takes_tasks (const json_t *params)
{
  const json_t *meta = json_object_get (params, "_meta");
  const json_t *capabilities = json_object_get (meta, VEND_MCP_META_CAPABILITIES);
  const json_t *extensions = json_object_get (capabilities, "extensions");
  return json_is_object (json_object_get (extensions, VEND_MCP_TASKS));
}

static bool
is_of_this_machine (const char *origin)
{
  static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
  const char *authority = g_str_has_prefix (origin, "https://")  ? origin + 8
                          : g_str_has_prefix (origin, "http://") ? origin + 7
                                                                 : NULL;
  for (guint i = 0; authority != NULL && i < G_N_ELEMENTS (hosts); i++)
    {
      const char *rest
          = g_str_has_prefix (authority, hosts[i]) ? authority + strlen (hosts[i]) : NULL;
      if (rest != NULL
          && (*rest == '\0'
              || (*rest == ':' && rest[1] != '\0'
                  && strspn (rest + 1, "0123456789") == strlen (rest + 1))))
        return true;
    }
  return false;
}

bool
vend_mcp_origin_may_call (const char *origin, const char *public_url, const char *cors_origins)
{
  g_autofree char *lower = g_ascii_strdown (origin, -1);
  g_autofree char *own = g_ascii_strdown (public_url != NULL ? public_url : "", -1);
  while (g_str_has_suffix (own, "/"))
    own[strlen (own) - 1] = '\0';
  if (is_of_this_machine (lower) || (*own != '\0' && strcmp (lower, own) == 0))
    return true;
  g_autofree char *listed = g_ascii_strdown (cors_origins, -1);
  g_auto (GStrv) origins = g_strsplit (listed, ",", -1);
  for (char **one = origins; *one != NULL; one++)
    if (strcmp (g_strstrip (*one), lower) == 0)
      return *lower != '\0' && strcmp (lower, "*") != 0;
  return false;
}
