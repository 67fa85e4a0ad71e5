/* What the handlers of this folder and those of other interfaces share: the parts of the API, and
 * its tables of routes. */
#pragma once
#include "api/api.h"
#include "api/later.h"
#include "api/openai/followers.h"
#include "api/models-cache.h"
#include "api/versions-cache.h"
#include "auth/rate.h"
#include "events/broadcast.h"
#include "model/file.h"
#include "model/scaling.h"

#define VEND_PAGE_SIZE 100

struct VendApi
{
  VendApiParts parts;
  VendVersionsCache *versions;
  VendModelsCache *models;
  VendRate *rate;
  json_t *hardware; /* as of vend_hardware_parse */
  json_t *openapi;  /* the document but for the address of the server */
  VendReplays *replays;
  VendLater *later;
  VendOpenaiFollowers *openai_followers;
  GArray *routes;   /* of VendRoute */
  GPtrArray *bound; /* of ApiBound: contexts of the routes, and one for requests that match none */
  gint ready;       /* atomic */
  gint sees_files;  /* atomic: a thread asks the file store whether it answers */
  gint files_fail;  /* atomic: it did not */
  _Atomic int64_t files_seen_us; /* monotonic */
  _Atomic int64_t beat_us;       /* monotonic: the core thread was there */
  int64_t started_us;
};

/* Answers by `*out`, or keeps the call and sets `*out` to NULL; an error becomes a problem
 * document. `caller` is NULL for routes without a scope. */
typedef bool (*ApiHandler) (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                            GError **error);

/* Where a handler runs. A request with a body in memory above VEND_API_LARGE_BODY runs on
 * VEND_LANE_BYTES whatever its route says: to parse that body takes long. */
typedef enum
{
  VEND_RUN_BY_METHOD, /* GET on the HTTP worker; what changes something waits for its commit on
                         VEND_LANE_WRITES */
  VEND_RUN_AT_ONCE,   /* on the HTTP worker: the handler looks up rows by their keys, and waits for
                         nothing */
  VEND_RUN_WRITE,     /* on VEND_LANE_WRITES, whatever the method */
  VEND_RUN_READ,      /* on VEND_LANE_READS */
  VEND_RUN_READ_RUN,  /* the same, but at once while the run of its `id` is in memory */
  VEND_RUN_BYTES,     /* on VEND_LANE_BYTES */
} ApiRunsOn;
#define VEND_API_LARGE_BODY ((gsize) 256 * 1024)

typedef struct ApiRoute
{
  const char *method;
  const char *pattern;
  guint scope; /* VendScope; 0 = no token is needed */
  VendBodyKind body;
  ApiHandler handler;
  const char *limit; /* name of the setting that bounds the body; NULL = max-body */
  VendRateKind rate;
  const char *missing;   /* what a 404 says; NULL = that the resource could not be found */
  const char *opened_by; /* name of a setting that makes the token unnecessary; or NULL. The
                            caller is then nobody (vend_auth_anonymous), unless there is a token */
  ApiRunsOn runs_on;
  bool reads_files;         /* contents, which may come from elsewhere: on VEND_LANE_FILES then */
  bool is_oci;              /* of the registry: Basic authorization too, errors in its form */
  const VendBodySink *sink; /* of VEND_BODY_SINK; its context is an ApiBound */
} ApiRoute;

/* A request that its route counts as another kind is one of `kind` too: NULL when that is within
 * the budget of the caller, else the 429 that refuses it. */
VendReply *vend_api_count_as (VendApi *api, const VendCaller *caller, VendRateKind kind)
    G_GNUC_WARN_UNUSED_RESULT;
/* An admitted request stands for `n` more: later ones wait for them. */
void vend_api_count_more (VendApi *api, const VendCaller *caller, VendRateKind kind, guint n);

/* ---- page.c: cursors. A cursor is base64url of "<time>.<id>": where the page before ended. */
typedef struct
{
  bool first;
  int64_t after_us;
  char *after_id;
} ApiCursor;
void vend_api_cursor_clear (ApiCursor *cursor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ApiCursor, vend_api_cursor_clear)
/* NULL or "" is the first page. */
bool vend_api_cursor_read (const char *text, ApiCursor *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
char *vend_api_cursor_text (int64_t last_us, const char *last_id) G_GNUC_WARN_UNUSED_RESULT;

/* ---- lookup.c */
/* The model of a text "owner/name" or "owner/name:version", if the caller may see it, and the id of
 * the version that it names, or NULL. INVALID for other texts. */
bool vend_api_model_by_reference (VendDb *db, const VendCaller *caller, const char *text,
                                  VendModel **out_model, char **out_version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same with the version itself, by default the latest; INVALID for a model without one. */
bool vend_api_version_by_reference (VendApi *api, VendDb *db, const VendCaller *caller,
                                    const char *text, VendModel **out_model,
                                    const VendVersion **out_version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_api_may_see (const VendModel *model, const VendCaller *caller);

/* ---- llms.c */
/* What a model is and how it is called, as Markdown. The text is the caller's. */
GString *vend_api_describe_model (VendApi *api, VendDb *db, const VendModel *model,
                                  const char *origin) G_GNUC_WARN_UNUSED_RESULT;

/* ---- downloads.c */
/* The content for a reply to the call, in which it has this tag. Blocks as the file store does. */
bool vend_api_content_open (VendApi *api, VendCall *call, const char *sha256, const char *etag,
                            int *out_fd, uint64_t *out_size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- files.c */
/* Stores the file at `path`, which is gone afterwards, under a new id. `file` has its name, type,
 * size and checksums, and gets everything else. Blocks for a commit. */
bool vend_api_file_store (VendApi *api, const VendCaller *caller, VendFile *file, const char *path,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
