/* Requests to the registry: what they name, as far as the caller may see it. */
#pragma once
#include "api/api-private.h"
#include "api/registry-reply.h"
#include "registry/reference.h"

typedef struct
{
  VendApi *api;
  VendCall *call;
  VendCaller *caller;
  VendRegistryPath path;
  VendModel *model;   /* the caller's own */
  int64_t repository; /* 0: nothing was pushed to it yet */
} OciRequest;

void vend_oci_request_clear (OciRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OciRequest, vend_oci_request_clear)
/* NULL, or the refusal. Looks up rows by their keys. */
VendReply *vend_oci_request_open (VendApi *api, VendCall *call, VendCaller *caller, OciRequest *out)
    G_GNUC_WARN_UNUSED_RESULT;
VendRegistryPlace vend_oci_request_place (const OciRequest *request);
/* NULL, or the refusal when the upload of the path is none of the repository. */
VendReply *vend_oci_request_upload (const OciRequest *request) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the digest will be one of SHA-512, as the client has said at the beginning. */
bool vend_oci_wants_sha512 (VendCall *call);

/* "/v2/owner/name/<format…>". Free with g_free. */
char *vend_oci_location (const VendRepositoryName *repository, const char *format, ...)
    G_GNUC_PRINTF (2, 3) G_GNUC_WARN_UNUSED_RESULT;
/* Where an upload goes on, and what is there: headers of its replies. */
void vend_oci_show_upload (const OciRequest *request, VendReply *reply, const char *id,
                           uint64_t size);
/* The piece does not begin where the upload ends. */
VendReply *vend_oci_out_of_order (const OciRequest *request, uint64_t size)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- registry-body.c: pushed bytes */
typedef struct
{
  VendRegistryPlace place; /* of `request` */
  OciRequest request;
  VendBlobTurn *turn; /* of an upload; or NULL */
  bool has_row;       /* the upload is one that was begun before */
  char *upload;       /* its id */
  GByteArray *text;   /* of a manifest */
  uint64_t got;
  uint64_t most;
} OciBody;

extern const VendBodySink vend_oci_sink;

/* ---- registry-pull.c and registry-push.c: handlers */
bool vend_oci_get (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error);
bool vend_oci_post (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                    GError **error);
bool vend_oci_patch (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                     GError **error);
bool vend_oci_put (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error);
bool vend_oci_delete (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                      GError **error);
