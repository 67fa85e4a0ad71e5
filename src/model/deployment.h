/* Deployments: a stable name for a version with hardware and bounds; each change is a release.
 * Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/account.h"
#include "model/scaling.h"

#define VEND_DEPLOYMENT_MAX_MIN_INSTANCES 5
#define VEND_DEPLOYMENT_MAX_MAX_INSTANCES 20

typedef struct
{
  int64_t number; /* from 1 */
  int64_t model_id;
  char *model; /* "owner/name" */
  char *version;
  char *hardware;
  int64_t min_instances;
  int64_t max_instances;
  VendScaling scaling; /* without the bounds */
  int64_t created_us;
  char *token_id;   /* of who made it; NULL: not known */
  char *token_name; /* in a history only */
} VendRelease;

VendRelease *vend_release_copy (const VendRelease *release);
void vend_release_free (VendRelease *release);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRelease, vend_release_free)

/* The scaling with the bounds. */
VendScaling vend_release_scaling (const VendRelease *release);

/* Whether both run the same version in the same way on the same hardware, and so share their
 * instances. */
bool vend_release_runs_like (const VendRelease *a, const VendRelease *b);

typedef struct
{
  int64_t id;
  int64_t account_id;
  char *owner;
  char *name;
  VendRelease *current; /* the latest release */
  VendRelease *serving; /* takes predictions: an older release until the current release is ready */
  int64_t created_us;
} VendDeployment;

void vend_deployment_free (VendDeployment *deployment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDeployment, vend_deployment_free)

/* "owner/name"; free with g_free. */
char *vend_deployment_full_name (const VendDeployment *deployment) G_GNUC_WARN_UNUSED_RESULT;

/* A release in the history: with `token`, the name of the token that made it or null. */
json_t *vend_release_to_json (const VendRelease *release, const VendAccount *creator,
                              const char *origin);
json_t *vend_deployment_to_json (const VendDeployment *deployment, const VendAccount *creator,
                                 const char *origin);

/* Body of a POST or PATCH. NULL and -1: not in the body. Strings are borrowed. */
typedef struct
{
  const char *name; /* without "owner/" */
  const char *model;
  const char *version;
  const char *hardware;
  int64_t min_instances;
  int64_t max_instances;
  VendScaling scaling; /* changes, without the bounds */
} VendDeploymentRequest;

/* Reads `body`. Problems are appended to `problems` as {"type", "field", "description"}, for all
 * fields at once. With `create` every member is required. `hardware` is that of
 * vend_hardware_parse. */
void vend_deployment_request_read (const json_t *body, bool create, const char *owner,
                                   const json_t *hardware, VendDeploymentRequest *out,
                                   json_t *problems);

/* Applies `request` to `release`; false when nothing changes. */
bool vend_release_apply (VendRelease *release, const VendDeploymentRequest *request);
/* Appends a problem when the bounds contradict each other. */
void vend_release_check (const VendRelease *release, json_t *problems);

void vend_problem_add (json_t *problems, const char *type, const char *field, const char *format,
                       ...) G_GNUC_PRINTF (4, 5);
