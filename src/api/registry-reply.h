/* Refusals of the registry, in the form of the OCI distribution specification. */
#pragma once
#include <glib.h>

#include "httpd/httpd.h"
#include "registry/oci-code.h"

/* Name and value of a header that all replies of the registry have. */
#define VEND_OCI_VERSION_HEADER "Docker-Distribution-API-Version", "registry/2.0"

VendReply *vend_oci_refuse (VendOciCode code, const char *format, ...) G_GNUC_PRINTF (2, 3)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same with another status. */
VendReply *vend_oci_refuse_status (VendOciCode code, int status, const char *text)
    G_GNUC_WARN_UNUSED_RESULT;
/* `code` unless the error says itself which one it is; failures of the server as elsewhere. */
VendReply *vend_oci_refuse_error (VendOciCode code, const GError *error) G_GNUC_WARN_UNUSED_RESULT;
VendReply *vend_oci_throttled (int64_t seconds) G_GNUC_WARN_UNUSED_RESULT;
