/* The one way a prediction or training comes into being, whatever route named its version. */
#pragma once
#include "api/api-private.h"

/* What is to run; all borrowed. */
typedef struct
{
  VendKind kind;
  const VendModel *model;
  const VendVersion *version;
  const json_t *body;
  const char *deployment;     /* "owner/name", or NULL: the version's own instances */
  const char *hardware;       /* of the deployment; NULL: the model's */
  const VendScaling *scaling; /* of the deployment's release, or NULL */
  int64_t destination;        /* of a training: the id of the model that gets its version */
} VendApiRun;

/* Checks the body against the version's schema, resolves files, submits, and answers when the
 * prediction is on disk, or has ended, or the wait is over. */
bool vend_api_create (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                      const VendApiRun *run, VendReply **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The 422 of the original service: one dash line a field, and the same as data. Takes `problems`, a
 * list of {"type", "field", "description"}. */
VendReply *vend_api_invalid_fields (json_t *problems);

VendReply *vend_api_problem (int status, const char *title, const char *detail);
