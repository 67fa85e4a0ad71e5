/* The HTTP API: parse → call → reply. Handlers run on HTTP threads. */
#pragma once
#include <glib.h>

#include "auth/auth.h"
#include "base/settings.h"
#include "build/builds.h"
#include "events/webhooks.h"
#include "files/blobs.h"
#include "httpd/httpd.h"
#include "meter/meter.h"
#include "model/page-card.h"
#include "model/sku.h"
#include "model/usage.h"
#include "registry/registry.h"
#include "sched/sched.h"
#include "secrets/vault.h"
#include "store/store.h"

typedef struct VendApi VendApi;

typedef struct
{
  VendStore *store;
  VendAuth *auth;
  VendBlobs *blobs;
  VendShelf *shelf;
  VendRegistry *registry;
  VendSched *sched;
  VendMachines *machines; /* NULL: this server takes none */
  VendBuilds *builds;
  VendWebhooks *webhooks;
  VendMeter *meter;
  const VendVault *vault;
  const VendSettings *settings;
  const VendSkus *skus;
  const VendPrices *prices;
  const char *web_build; /* of the web page; changes with it */
  /* Tables of routes of the other interfaces to the same models, NULL-terminated; or NULL. */
  const struct ApiRoute *const *interfaces;
} VendApiParts;

/* `parts` are borrowed and must outlive the API. UNAVAILABLE when a thread cannot be made. */
bool vend_api_new (const VendApiParts *parts, VendApi **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_api_free (VendApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendApi, vend_api_free)

/* For vend_httpd_open; valid as long as the API. */
const VendRoute *vend_api_routes (VendApi *api, gsize *out_count);

/* What strangers may be told of the page at the call's address: false when they may not be told
 * anything. Reads a few rows by their keys. `api` is the data of a VendWebTell. */
bool vend_api_page_card (VendCall *call, VendPageCard *out, void *api);

/* A VendObserve for vend_httpd_open; `api` is its data. */
void vend_api_observe (const VendRoute *route, int status, int64_t duration_us, void *api);

/* A VendRestate for vend_httpd_open. */
VendReply *vend_api_restate (const char *path, int status, const json_t *problem);

/* The core thread is there; called by it every second or so, for /-/healthz. */
void vend_api_beat (VendApi *api);

/* Whether /-/readyz says 200. Any thread. */
void vend_api_set_ready (VendApi *api, bool ready);
