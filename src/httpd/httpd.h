/* The HTTP server: routes, calls, replies. The only folder that includes the HTTP library.
 *
 * Threads: handlers run on HTTP threads, never on the core thread. A handler answers with
 * vend_call_reply at once, or keeps the call for a later answer from any thread; the connection
 * sleeps meanwhile and costs no thread. Every call is answered exactly once.
 *
 * Limits (each with a name here, a default and a test): request head 32 KiB, body per route,
 * multipart text part 64 KiB, open connections, idle time. A request over a limit gets a problem
 * document and a closed connection, before the handler sees it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendHttpd VendHttpd;
typedef struct VendCall VendCall;     /* one request and its coming reply */
typedef struct VendReply VendReply;   /* a reply ready to send */
typedef struct VendStream VendStream; /* body of a reply in progress */
typedef struct VendSignal VendSignal; /* wakes the pulled bodies that sleep on it */

typedef void (*VendHandler) (VendCall *call, void *context);
/* Checks the head of a request before any of its body is read: NULL to go on, or the reply that
 * refuses it. HTTP thread; must not answer or keep the call. */
typedef VendReply *(*VendAdmit) (VendCall *call, void *context);

typedef enum
{
  VEND_BODY_NONE,   /* a body is read and dropped, up to 64 KiB (clients send JSON types on GET) */
  VEND_BODY_BUFFER, /* in memory, up to `limit` */
  VEND_BODY_SPOOL,  /* raw bytes to a temporary file in the spool directory, up to `limit` */
  VEND_BODY_MULTIPART, /* multipart/form-data: files to the spool, text parts in memory */
  VEND_BODY_SINK,      /* to the functions of the route, piece by piece; `limit` is theirs */
} VendBodyKind;

/* Takes a body as it comes. HTTP thread; may wait for a disk as the spool does. The reply that
 * refuses the request has a JSON text, and ends the connection when the client still sends. */
typedef struct
{
  /* NULL to go on: `*out_state` is for the others. A request without a body begins too. */
  VendReply *(*begin) (VendCall *call, void *context, void **out_state);
  VendReply *(*write) (void *state, const char *data, gsize size);
  /* With the call: the body has come whole, was cut off, or was refused. */
  void (*free) (void *state);
} VendBodySink;

typedef struct
{
  const char *method;  /* "GET", "POST", "QUERY": any token */
  const char *pattern; /* "/v1/models/{owner}/{name}", "/v1/files/stream-{token}"; a last "{path*}"
                          takes the rest with slashes */
  VendHandler handler;
  void *context;
  VendBodyKind body;
  uint64_t limit;           /* of the body, bytes; 0 with BUFFER means VendHttpdOptions.max_body */
  VendAdmit admit;          /* or NULL */
  const char *too_large;    /* refusal of a larger body, outlives the server; or NULL */
  const VendBodySink *sink; /* of SINK */
} VendRoute;

/* A call has ended. `route` is NULL when none matched; `duration_us` is from the head to the last
 * byte. HTTP thread. Not called when the client left before there was a reply. */
typedef void (*VendObserve) (const VendRoute *route, int status, int64_t duration_us, void *data);

/* Another form of the problem document `problem`, for paths whose clients read another: a reply in
 * the place of the one with `status`, which gives it its headers. NULL keeps it. `path` is as
 * sent, decoded or not. Any thread. */
typedef VendReply *(*VendRestate) (const char *path, int status, const json_t *problem);

typedef struct
{
  const char *listen; /* "127.0.0.1:8363", "[::1]:0", "0.0.0.0:80" */
  int listener;  /* a socket that listens at `listen` already, which the server takes; 0: none */
  guint threads; /* at least 2: one epoll thread alone stalls after connection churn */
  guint max_connections;
  guint max_connections_per_peer; /* of one address, except trusted proxies; 0 = no limit */
  guint head_timeout_ms;          /* from the first byte of a head to its last; 0 means 30 s */
  guint body_timeout_ms;          /* of a body, plus a second for each KiB; 0 means 30 s */
  guint idle_timeout_s;           /* of a connection that waits for the client */
  guint pull_idle_ms;             /* of a pulled body, see VendPullFuncs; 0 means 10 s */
  uint64_t max_body;
  const char *spool_dir;       /* exists, on the file system of the blobs; the server's alone */
  const char *public_url;      /* origin for replies; NULL: the origin of the request */
  const char *trusted_proxies; /* "10.0.0.0/8,::1/128" or NULL */
  const char *cors_origins;    /* "*", "https://a.example,https://b.example", or NULL: no pages */
  const char *tls_cert_pem;    /* contents, or NULL for plain HTTP */
  const char *tls_key_pem;
  /* Pages for browsers: a GET that accepts text/html and has no Authorization is matched with
   * `pages` before the routes, and goes to `other_page` when no route has its path. Borrowed until
   * the server is open. NULL: no pages. */
  const VendRoute *pages;
  gsize n_pages;
  const VendRoute *other_page;
  /* For a GET or HEAD that accepts anything, has no Authorization and whose path no route has: what
   * programs send that preview links. NULL: 404, as for all others. */
  const VendRoute *preview_page;
  VendObserve observe; /* or NULL */
  void *observe_data;
  VendRestate restate; /* or NULL */
} VendHttpdOptions;

/* `routes` (n of them, copied) are matched by exact method and path; literals win over parameters.
 * `/v1/v1/…` and paths without `/v1` are accepted for patterns that start with "/v1/". HEAD is
 * served by GET routes. A known path with another method is 405 with Allow; an unknown path is 404.
 *
 * Takes the port, but clients wait in the backlog until vend_httpd_serve. */
bool vend_httpd_open (const VendHttpdOptions *options, const VendRoute *routes, gsize n,
                      VendHttpd **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Once. */
void vend_httpd_serve (VendHttpd *httpd);
/* The same; UNAVAILABLE when a thread cannot be made. */
bool vend_httpd_try_serve (VendHttpd *httpd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
guint vend_httpd_port (const VendHttpd *httpd);
/* Closes the listening socket; calls in flight go on, and their replies close their connections. */
void vend_httpd_stop_accepting (VendHttpd *httpd);
/* Answers new requests with 503 from now on; calls in flight go on. Once no call is active after
 * that, none will be. */
void vend_httpd_refuse (VendHttpd *httpd);
/* Calls in flight: begun and not fully sent. */
guint vend_httpd_active_calls (VendHttpd *httpd);
/* Open connections. */
guint vend_httpd_connections (VendHttpd *httpd);
/* Blocks until every held call is answered and all connections are closed; late answers may go
 * nowhere. Not for a thread that still has to answer, nor for a handler. Open streams end with an
 * error, and their writers may outlive the server. */
void vend_httpd_free (VendHttpd *httpd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHttpd, vend_httpd_free)

/* ---- The request. All borrowed, valid until the call is answered, any thread. */
const char *vend_call_method (VendCall *call);
const char *vend_call_path (VendCall *call); /* decoded, as matched */
const char *vend_call_param (VendCall *call,
                             const char *name); /* of the pattern, decoded; aborts on unknown */
const char *vend_call_query (VendCall *call, const char *name); /* decoded, or NULL */
/* The values of a repeated parameter, from 0; NULL behind the last. */
const char *vend_call_query_at (VendCall *call, const char *name, guint i);
const char *
vend_call_header (VendCall *call,
                  const char *name); /* case-insensitive; repeated ones joined with ", "; or NULL */
const char *vend_call_body (VendCall *call, gsize *out_size); /* BUFFER; NUL-terminated */
void *vend_call_sink (VendCall *call);                        /* the state of SINK */
uint64_t vend_call_length (VendCall *call);    /* of the body; UINT64_MAX for chunks */
const char *vend_call_remote (VendCall *call); /* address without port */
/* "https://host:port" as used by the caller, without a slash at the end (rules in the .c). */
const char *vend_call_origin (VendCall *call);

/* A part of MULTIPART, or the body of SPOOL. `path` is set for spooled parts; take the file by
 * vend_part_take_path, otherwise it is removed with the call. */
typedef struct
{
  char *name;         /* form field */
  char *filename;     /* or NULL */
  char *content_type; /* or NULL */
  char *text;         /* in-memory part, NUL-terminated; or NULL */
  gsize text_size;
  char *path; /* spooled part; the taker syncs it to disk */
  uint64_t size;
  char *sha256; /* hex, of a spooled part */
  char *md5;
} VendPart;
const VendPart *vend_call_part (VendCall *call,
                                const char *name); /* NULL when absent; SPOOL: name "" */
gsize vend_call_n_parts (VendCall *call);
const VendPart *vend_call_part_at (VendCall *call, gsize i);
char *vend_part_take_path (VendCall *call, const VendPart *part) G_GNUC_WARN_UNUSED_RESULT;

/* A pointer owned by the call, for the handler; freed with the call. */
void vend_call_set_data (VendCall *call, void *data, GDestroyNotify destroy);
void *vend_call_get_data (VendCall *call);

/* Has `left (data)` called, once and on the call's HTTP thread, when the client closes its side of
 * the connection while the call is held: within 2 s. Also when it closes its writing half alone.
 * `destroy` frees `data` with the call. The thread that may answer. */
typedef void (*VendCallLeft) (void *data);
void vend_call_watch_client (VendCall *call, VendCallLeft left, void *data, GDestroyNotify destroy);

/* ---- The reply. Constructors give ownership. vend_call_reply takes the reply and ends the call:
 * `call` must not be touched afterwards. Any thread. */
VendReply *vend_reply_new (int status, const char *content_type, const void *body, gsize size);
VendReply *vend_reply_take (int status, const char *content_type, char *body,
                            gsize size); /* g_free */
/* The same with bytes that are never freed. */
VendReply *vend_reply_static (int status, const char *content_type, const void *body, gsize size);
VendReply *vend_reply_json (int status, json_t *value); /* steals `value` */
/* The same with the text of a value; `text` is taken, and freed with g_free. */
VendReply *vend_reply_json_text (int status, char *text, gsize size);
/* The same as application/problem+json, for problems with extension members. */
VendReply *vend_reply_problem_json (int status, json_t *value);
VendReply *vend_reply_empty (int status);
/* application/problem+json from an error: type, title, detail, status. 5xx details, but for `busy`,
 * go to the log with an id, and the body gives the id only. */
VendReply *vend_reply_error (const GError *error);
/* Sends `size` bytes of `fd` (owned by the reply, closed with it) from offset 0. Serves Range (one
 * range; 206, 416), If-None-Match against `etag` (304), HEAD. `etag` is without quotes, or NULL.
 * Uses sendfile where the connection allows. */
VendReply *vend_reply_file (int fd, uint64_t size, const char *content_type, const char *etag);
/* Whether vend_reply_file of a file of this size and tag would send a part of it: which one. The
 * thread that may answer. */
bool vend_call_part_of (VendCall *call, const char *etag, uint64_t file_size, uint64_t *out_start,
                        uint64_t *out_size);
/* The body is written later through `*out_stream` (owned by the caller, see below). */
VendReply *vend_reply_stream (int status, const char *content_type, VendStream **out_stream);
/* A name or value that could break out of its line is dropped, with a line in the log. */
void vend_reply_header (VendReply *reply, const char *name, const char *value);
void vend_reply_free (VendReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendReply, vend_reply_free)

/* Adds a header to the call's coming reply. Before the answer; any thread that may answer. */
void vend_call_reply_header (VendCall *call, const char *name, const char *value);
void vend_call_reply (VendCall *call, VendReply *reply);
/* The same with a reply made on the call's own HTTP thread, for short replies that cost that thread
 * less than waking another. `make` is called once, also when the client has gone; it may use the
 * getters of the call. */
typedef VendReply *(*VendReplyMaker) (void *data);
void vend_call_reply_made (VendCall *call, VendReplyMaker make, void *data);

/* ---- Streams: any thread. Backpressure: at most `buffer` bytes (256 KiB) wait for a slow reader.
 * A write beyond that returns false and closes the stream. False also when the reader has gone. */
bool vend_stream_write (VendStream *stream, const void *data, gsize size);
bool vend_stream_is_open (VendStream *stream);
/* Ends the body (buffered bytes are still sent) and frees the writer's side. */
void vend_stream_end (VendStream *stream);

/* ---- Pulled bodies: the connection reads from the source when it can send more, so nothing is
 * copied ahead of a reader, and any number of readers may share one source. */
#define VEND_PULL_END (-1)   /* the body is complete */
#define VEND_PULL_BREAK (-2) /* closes the connection without an end of the body */

/* On the connection's thread, except `free`, which is called by the thread that frees an unsent
 * reply. */
typedef struct
{
  /* Writes at most `room` bytes (at least 64) into `buffer` and returns their number; 0: none yet,
   * the connection sleeps until the signal is raised. */
  gssize (*read) (void *data, char *buffer, gsize room);
  /* Nothing could be sent for the idle time: true closes the connection of a reader that does not
   * read. */
  bool (*is_slow) (void *data);
  void (*free) (void *data);
  const char *keep_alive; /* sent when a body has slept for the idle time; shorter than 64 bytes */
  bool ends_with_client;  /* ends when the client closes its side of the connection, even if it
                             sleeps: within 2 s. Other bodies notice when they send */
} VendPullFuncs;
VendReply *vend_reply_pull (int status, const char *content_type, VendSignal *signal,
                            const VendPullFuncs *funcs, void *data);

/* Any thread. Raising costs the same for one sleeper as for thousands: their own threads wake them.
 * Data that `read` can see before the raise is not missed. */
VendSignal *vend_signal_new (void);
VendSignal *vend_signal_ref (VendSignal *signal);
void vend_signal_unref (VendSignal *signal);
void vend_signal_raise (VendSignal *signal);
