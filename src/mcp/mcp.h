/* The models of this server as an MCP server (Model Context Protocol, Streamable HTTP): /mcp. */
#pragma once
#include "api/handler.h"

/* For VendApiParts.interfaces. */
extern const ApiRoute vend_mcp_routes[];
