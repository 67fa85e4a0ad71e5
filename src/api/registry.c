/* The registry, by the OCI distribution specification: its routes. Paths are read by src/registry,
 * since names of repositories have slashes. */
#include "api/registry-request.h"

#define ANY_SCOPE (VEND_SCOPE_READ | VEND_SCOPE_RUN | VEND_SCOPE_PUSH)
#define REST "/v2/{path*}"

static bool
ping (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  *out = vend_reply_json (200, json_object ());
  return true;
}

const ApiRoute vend_api_registry_routes[] = {
  { "GET", "/v2/", ANY_SCOPE, VEND_BODY_NONE, ping, NULL, .is_oci = true },
  { "GET", REST, VEND_SCOPE_READ, VEND_BODY_NONE, vend_oci_get, NULL, .is_oci = true,
    .runs_on = VEND_RUN_READ, .reads_files = true },
  { "POST", REST, VEND_SCOPE_PUSH, VEND_BODY_SINK, vend_oci_post, NULL, .is_oci = true,
    .runs_on = VEND_RUN_BYTES, .sink = &vend_oci_sink },
  { "PATCH", REST, VEND_SCOPE_PUSH, VEND_BODY_SINK, vend_oci_patch, NULL, .is_oci = true,
    .runs_on = VEND_RUN_AT_ONCE, .sink = &vend_oci_sink },
  { "PUT", REST, VEND_SCOPE_PUSH, VEND_BODY_SINK, vend_oci_put, NULL, .is_oci = true,
    .runs_on = VEND_RUN_BYTES, .sink = &vend_oci_sink },
  { "DELETE", REST, VEND_SCOPE_PUSH, VEND_BODY_NONE, vend_oci_delete, NULL, .is_oci = true },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
