/* A model's OpenAPI schema as the schemas of a tool: JSON Schema 2020-12 without references, small
 * enough for the context of a language model. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_MCP_NAME_MAX 64

/* The schema of the component `Input`: always of an object. */
json_t *vend_mcp_input_schema (const json_t *openapi) G_GNUC_WARN_UNUSED_RESULT;
/* The schema of a value of the component `Output`, as vend_mcp_output_value makes it. */
json_t *vend_mcp_output_schema (const json_t *openapi) G_GNUC_WARN_UNUSED_RESULT;

/* An output as a tool returns it: text that came in chunks is one text. A new reference. */
json_t *vend_mcp_output_value (const json_t *openapi, json_t *output) G_GNUC_WARN_UNUSED_RESULT;

/* "owner__name" in letters that clients take, at most VEND_MCP_NAME_MAX: different for different
 * models. Free with g_free. */
char *vend_mcp_tool_name (const char *owner, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the input has a file. */
bool vend_mcp_takes_files (const json_t *openapi);
