/* What the handlers of this folder share. */
#pragma once
#include "api/handler.h"
#include "base/histogram.h"
#include "model/usage.h"
#include "store/weight-sets.h"

#define API_STATUS_CLASSES 6 /* by the first digit */

typedef struct
{
  _Atomic uint64_t by_class[API_STATUS_CLASSES];
  VendHistogram duration;
} ApiRouteStats;

/* A route of this server. */
typedef struct
{
  VendApi *api;
  const ApiRoute *route; /* NULL: requests that match none */
  ApiRouteStats stats;
  bool is_open;    /* also for callers without a token, by `opened_by` */
  char *too_large; /* what a body over its limit is told, or NULL */
} ApiBound;

/* ---- metrics.c: counting of requests. Any thread. */
void vend_api_route_stats_init (ApiRouteStats *stats);
void vend_api_count (ApiRouteStats *stats, int status, int64_t duration_us);

extern const ApiRoute vend_api_account_routes[];
extern const ApiRoute vend_api_advice_routes[];
extern const ApiRoute vend_api_avatar_routes[];
extern const ApiRoute vend_api_budget_routes[];
extern const ApiRoute vend_api_build_routes[];
extern const ApiRoute vend_api_collection_routes[];
extern const ApiRoute vend_api_deployment_routes[];
extern const ApiRoute vend_api_doctor_routes[];
extern const ApiRoute vend_api_download_routes[];
extern const ApiRoute vend_api_example_routes[];
extern const ApiRoute vend_api_explain_routes[];
extern const ApiRoute vend_api_file_routes[];
extern const ApiRoute vend_api_history_routes[];
extern const ApiRoute vend_api_llms_routes[];
extern const ApiRoute vend_api_machine_routes[];
extern const ApiRoute vend_api_metrics_routes[];
extern const ApiRoute vend_api_model_routes[];
extern const ApiRoute vend_api_alias_routes[];
extern const ApiRoute vend_api_openai_embedding_routes[];
extern const ApiRoute vend_api_openai_media_routes[];
extern const ApiRoute vend_api_openai_model_routes[];
extern const ApiRoute vend_api_openai_text_routes[];
extern const ApiRoute vend_api_openai_video_routes[];
extern const ApiRoute vend_api_prediction_routes[];
extern const ApiRoute vend_api_registry_routes[];
extern const ApiRoute vend_api_scaling_routes[];
extern const ApiRoute vend_api_search_routes[];
extern const ApiRoute vend_api_secret_routes[];
extern const ApiRoute vend_api_session_routes[];
extern const ApiRoute vend_api_setting_routes[];
extern const ApiRoute vend_api_share_routes[];
extern const ApiRoute vend_api_status_routes[];
extern const ApiRoute vend_api_stream_routes[];
extern const ApiRoute vend_api_system_routes[];
extern const ApiRoute vend_api_training_routes[];
extern const ApiRoute vend_api_upload_routes[];
extern const ApiRoute vend_api_usage_routes[];
extern const ApiRoute vend_api_provenance_routes[];
extern const ApiRoute vend_api_version_routes[];
extern const ApiRoute vend_api_webhook_routes[];
extern const ApiRoute vend_api_warm_routes[];
extern const ApiRoute vend_api_weight_routes[];

/* ---- body.c: reading requests */
/* The body as an object. BAD_REQUEST when it is not JSON, INVALID when not an object, MEDIA_TYPE
 * when it says it is something else. An empty body is {}. */
bool vend_api_object (VendCall *call, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Members; `*out` is NULL for an absent or null one, INVALID names the field. Borrowed. */
bool vend_api_optional_text (const json_t *body, const char *key, gsize most, const char **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_api_text (const json_t *body, const char *key, gsize most, const char **out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes a member over into `*field` when it is there; null empties it. */
bool vend_api_change_text (const json_t *body, const char *key, gsize most, char **field,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "" or an http(s) URL. */
bool vend_api_optional_url (const json_t *body, const char *key, const char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- files.c */
/* Free with g_free. */
char *vend_api_file_too_large (uint64_t most) G_GNUC_WARN_UNUSED_RESULT;
#define VEND_API_NO_FILE "File not found"

/* ---- webhooks.c */
/* Reads `webhook`, `webhook_events_filter` and the older `webhook_completed` of a body into
 * `prediction`. INVALID names the field. */
bool vend_api_webhook (VendApi *api, VendCall *call, const json_t *body, VendPrediction *prediction,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- scaling.c */
/* Appends a problem when the change asks for a network that this server gives to nobody. */
void vend_api_check_network (const VendApi *api, const VendScaling *change, json_t *problems);
/* The effective scaling of a version, as its instances get it; a missing version counts as one
 * without a launch record. */
VendScaling vend_api_scaling_holds (const VendApi *api, VendDb *db, const VendScaling *own,
                                    int64_t model_id, const char *version_id);

/* ---- page.c */
bool vend_api_cursor (VendCall *call, ApiCursor *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for rows with a number: G_MAXINT64 in both for the first page. */
bool vend_api_number_cursor (VendCall *call, int64_t *out_us, int64_t *out_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* A date and time of the query; `*out_us` stays as it is without one. BAD_REQUEST names it. */
bool vend_api_query_time (VendCall *call, const char *name, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The name of a model or deployment in a parameter of the query, borrowed; `*out` is NULL without
 * one. BAD_REQUEST when there can be none of that name. */
bool vend_api_query_reference (VendCall *call, const char *parameter, const char **out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Results of a page as text: each value is written as soon as it is made, so that the memory of one
 * serves the next. Taken by vend_api_page. */
GString *vend_api_results (void) G_GNUC_WARN_UNUSED_RESULT;
/* `result` is taken. */
void vend_api_add_result (GString *results, json_t *result);
/* The list object. `results` is taken. With `more`, `next` goes on after (last_us, last_id) and
 * keeps the query parameters named in `keep` (NULL-terminated, may be NULL). */
VendReply *vend_api_page (VendCall *call, GString *results, bool more, int64_t last_us,
                          const char *last_id, const char *const *keep);

/* ---- models.c: the object of the API, with its latest version and default example */
json_t *vend_api_show_model (VendApi *api, VendDb *db, const VendModel *model, const char *origin);
/* One of many that are shown at once without pages: as above as long as `*shown_bytes`, which it
 * adds to, is below VEND_PAGE_BYTES, then without what may be large. */
json_t *vend_api_show_model_of_many (VendApi *api, VendDb *db, const VendModel *model,
                                     const char *origin, gsize *shown_bytes);

/* ---- versions.c: a page of the versions of the model that `find` finds. */
typedef bool (*ApiFindModel) (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller,
                              VendModel **out, GError **error);
typedef json_t *(*ApiShowVersion) (const VendVersion *version);
bool vend_api_version_page (VendApi *api, VendCall *call, const VendCaller *caller,
                            ApiFindModel find, ApiShowVersion show, VendReply **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- weights.c: "present", "fetching" or "absent". */
const char *vend_api_weights_state (const VendApi *api, const VendHeldWeights *held);

/* ---- provenance.c: FORBIDDEN when the source is that of another account. */
bool vend_api_check_own_source (const VendVersion *version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- history.c */
/* The body of GET /v1/history for the query of the call, as JSON; free with g_free. */
bool vend_api_history_text (VendApi *api, VendCall *call, const VendCaller *caller, char **out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- reply.c */
/* Has the reply made of a prediction as it is now: on the call's own HTTP thread when it is short,
 * in the lane for replies when not. Core thread, which makes no text. `now` is borrowed. */
void vend_api_reply_made (VendApi *api, VendCall *call, const VendPrediction *now,
                          VendReplyMaker make, void *data);

/* ---- openai/models.c: the OpenAI endpoints that a version of the model fits, and why it fits no
 * others */
json_t *vend_api_openai_describe (VendDb *db, const VendModel *model, const VendVersion *version)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- predictions.c: handlers that serve both kinds */
bool vend_api_run_list (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                        VendReply **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_api_run_get (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                       VendReply **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_api_run_cancel (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                          VendReply **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_api_run_remove_data (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                               VendReply **out, GError **error);

/* ---- lookup.c */
/* The model of the {owner}/{name} in the path, if the caller may see it; NOT_FOUND otherwise. */
bool vend_api_model (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller,
                     VendModel **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, and it must be the caller's own: FORBIDDEN for somebody else's public one. */
bool vend_api_own_model (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller,
                         VendModel **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The account that the query names as `account`, by default the caller's. FORBIDDEN for another
 * account without the scope admin: `what` names the thing ("usage"). BAD_REQUEST for an unknown
 * account. */
bool vend_api_query_account (VendDb *db, VendCall *call, const VendCaller *caller, const char *what,
                             VendAccount **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One sentence for every thing that does not exist, or that the caller may not see. */
bool vend_api_not_found (GError **error);
