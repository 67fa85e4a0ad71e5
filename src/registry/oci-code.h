/* The error codes of the OCI distribution specification. Pure. */
#pragma once

typedef enum
{
  VEND_OCI_BLOB_UNKNOWN,
  VEND_OCI_BLOB_UPLOAD_INVALID,
  VEND_OCI_BLOB_UPLOAD_UNKNOWN,
  VEND_OCI_DIGEST_INVALID,
  VEND_OCI_MANIFEST_BLOB_UNKNOWN,
  VEND_OCI_MANIFEST_INVALID,
  VEND_OCI_MANIFEST_UNKNOWN,
  VEND_OCI_NAME_INVALID,
  VEND_OCI_NAME_UNKNOWN,
  VEND_OCI_SIZE_INVALID,
  VEND_OCI_UNAUTHORIZED,
  VEND_OCI_DENIED,
  VEND_OCI_UNSUPPORTED,
  VEND_OCI_TOOMANYREQUESTS,
  VEND_OCI_N_CODES
} VendOciCode;

typedef struct
{
  const char *name;
  int status; /* of the reply */
} VendOciCodeInfo;

const VendOciCodeInfo *vend_oci_code_info (VendOciCode code);
