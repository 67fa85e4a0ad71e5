/* The tools of tools.json. Each answers the request, or leaves that to somebody; `arguments` are
 * borrowed, and fit the tool's schema. */
#pragma once
#include "mcp/mcp-private.h"

typedef void (*McpTool) (McpRequest *request, json_t *arguments);

void mcp_tool_search_models (McpRequest *request, json_t *arguments);
void mcp_tool_get_model (McpRequest *request, json_t *arguments);
void mcp_tool_run_model (McpRequest *request, json_t *arguments);
void mcp_tool_get_prediction (McpRequest *request, json_t *arguments);
void mcp_tool_cancel_prediction (McpRequest *request, json_t *arguments);
void mcp_tool_list_predictions (McpRequest *request, json_t *arguments);
void mcp_tool_upload_file (McpRequest *request, json_t *arguments);

/* ---- tools.c */
/* As vend_api_version_by_reference; NOT_FOUND names the model. */
bool mcp_find_version (McpRequest *request, VendDb *db, const char *reference,
                       VendModel **out_model, const VendVersion **out_version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Runs a model by its name, if the caller may, and answers. */
void mcp_start_run (McpRequest *request, const char *reference, json_t *input);
