/* The one way a prediction or training comes into being, whatever route named its version. */
#pragma once
#include "api/handler.h"

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

/* What comes before the submit: the prediction of a body that fits the version's schema, with its
 * files, and what holds their bytes until its row is stored (NULL without any). When the input does
 * not fit, `*out` stays NULL and `*out_problems` is a list as of vend_api_invalid_fields. */
bool vend_api_prepare (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                       const VendApiRun *run, VendPrediction **out, VendBlobHolds **out_holds,
                       json_t **out_problems, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where it runs; borrowed from `run`. */
VendSchedPlace vend_api_place (const VendApiRun *run);

/* The 422 of the original service: one dash line a field, and the same as data. Takes `problems`, a
 * list of {"type", "field", "description"}. */
VendReply *vend_api_invalid_fields (json_t *problems);
/* The dash lines alone. Free with g_free. */
char *vend_api_problems_text (const json_t *problems) G_GNUC_WARN_UNUSED_RESULT;

VendReply *vend_api_problem (int status, const char *title, const char *detail);
