/* Revisions of MCP and what their HTTP requests must have: which one a request is of, and whether
 * its headers agree with its body. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "mcp/json-rpc.h"

/* In the order of time. Those before VEND_MCP_MODERN begin with `initialize`; from it on each
 * request says its revision itself. */
typedef enum
{
  VEND_MCP_2025_03_26,
  VEND_MCP_2025_06_18,
  VEND_MCP_2025_11_25,
  VEND_MCP_2026_07_28,
  VEND_MCP_N,
} VendMcpRevision;
#define VEND_MCP_MODERN VEND_MCP_2026_07_28
#define VEND_MCP_LAST_LEGACY VEND_MCP_2025_11_25

#define VEND_MCP_HEADER_MISMATCH (-32020)
#define VEND_MCP_NO_CAPABILITY (-32021)
#define VEND_MCP_UNSUPPORTED_VERSION (-32022)
#define VEND_MCP_NO_RESOURCE (-32002) /* before VEND_MCP_MODERN */

/* Keys of `_meta` and of capabilities. */
#define VEND_MCP_META_VERSION "io.modelcontextprotocol/protocolVersion"
#define VEND_MCP_META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define VEND_MCP_META_SERVER "io.modelcontextprotocol/serverInfo"
#define VEND_MCP_META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"
#define VEND_MCP_TASKS "io.modelcontextprotocol/tasks"

const char *vend_mcp_revision_name (VendMcpRevision revision);
bool vend_mcp_revision_find (const char *name, VendMcpRevision *out);
/* The names, newest first. */
json_t *vend_mcp_revision_names (void) G_GNUC_WARN_UNUSED_RESULT;

/* Of a request; NULL when it has none of the name. */
typedef struct
{
  const char *version; /* MCP-Protocol-Version */
  const char *method;  /* Mcp-Method */
  const char *name;    /* Mcp-Name */
} VendMcpHeaders;

typedef struct
{
  int status; /* of the HTTP reply */
  int code;
  char *message;
  json_t *data; /* or NULL */
} VendMcpFault;
void vend_mcp_fault_clear (VendMcpFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendMcpFault, vend_mcp_fault_clear)

/* The revision of a message. False when it is refused; `*fault` has the reason then. */
bool vend_mcp_check (const VendMcpHeaders *headers, const VendRpcMessage *message,
                     VendMcpRevision *out, VendMcpFault *fault) G_GNUC_WARN_UNUSED_RESULT;

/* A header value as it is, or what is encoded in "=?base64?…?="; NULL when that is not UTF-8. Free
 * with g_free. */
char *vend_mcp_header_text (const char *value) G_GNUC_WARN_UNUSED_RESULT;

/* The HTTP status of an error in a reply of this revision. */
int vend_mcp_status (VendMcpRevision revision, int code);

/* Whether the client of a request has declared the extension for tasks in its `_meta`. */
bool vend_mcp_takes_tasks (const json_t *params);

/* Whether a page of this origin may call: one of this machine, of the public URL, or one that
 * `cors_origins` lists. "*" lists none: any page could then reach a server behind a firewall by
 * giving its own name the server's address. `public_url` may be NULL or "". */
bool vend_mcp_origin_may_call (const char *origin, const char *public_url,
                               const char *cors_origins);
