/* Shared by the files of this folder: the server, its workers, calls and replies.
 *
 * Threads: every connection belongs to one worker thread for its whole life. All of it runs there
 * except vend_call_reply, the getters and the writer's side of a stream. Locks are plain pthread
 * locks, which the thread sanitizer understands without a sanitized GLib. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <microhttpd.h>

#include "httpd/connection-private.h"
#include "httpd/cors-private.h"
#include "httpd/httpd.h"
#include "httpd/linger-private.h"
#include "httpd/origin-private.h"
#include "httpd/peers-private.h"
#include "httpd/router-private.h"

#define VEND_HTTPD_HEAD_BYTES (32 * 1024)    /* request line and headers */
#define VEND_HTTPD_IGNORED_BYTES (64 * 1024) /* body of a route without body */
#define VEND_HTTPD_TEXT_BYTES (64 * 1024)    /* multipart part kept in memory */
#define VEND_HTTPD_MAX_PARTS 64              /* of a multipart body */
#define VEND_HTTPD_MAX_QUERY 128             /* query parameters */
#define VEND_HTTPD_BODY_BYTES_PER_S 1024     /* least speed of a body, after its timeout */
#define VEND_HTTPD_STREAM_BYTES (256 * 1024) /* for a slow reader */

typedef struct VendWorker VendWorker;
typedef struct VendBody VendBody;
typedef struct VendPull VendPull;

/* One thread with its own daemon on the shared listening socket. */
struct VendWorker
{
  VendHttpd *httpd;
  struct MHD_Daemon *daemon;
  int epoll_fd; /* of the daemon, borrowed */
  int wake_fd;
  int arrivals_fd;  /* epoll of sockets without a first byte */
  guint n_arrivals; /* in it; this thread only */
  GThread *thread;
  VendConns conns;        /* this thread only, like the next four */
  VendConn *arriving;     /* on its way to the library */
  int64_t accept_from_us; /* no accepts before; 0 = no pause */
  bool may_accept;        /* more connections may be waiting than the last turn took */
  guint turns;            /* without sleep */
  atomic_bool asleep;     /* in poll, or about to be */
  atomic_bool resumed;    /* a connection was resumed since the last turn */
  GQueue streams;         /* VendStream in flight; this thread only */
  GQueue pulls;           /* VendPull, the longest time without a turn first; this thread only */
  GQueue waking;          /* SignalSlot with sleepers to be woken; this thread only */
  pthread_mutex_t lock;
  guint held;    /* calls that sleep until their answer; guarded by `lock` */
  GQueue raised; /* SignalSlot with sleepers to be woken; guarded by `lock` */
};

struct VendHttpd
{
  VendRouter *router;
  VendRouter *pages; /* NULL: none */
  VendRouter *other_page;
  VendRouter *preview_page; /* NULL: none */
  VendOriginRules *origin_rules;
  VendCors *cors;
  VendLinger *linger;
  VendWorker *workers;
  guint n_workers;
  VendPeers *peers;
  guint max_connections;
  int64_t head_timeout_us;
  int64_t body_timeout_us;
  int64_t idle_timeout_us; /* the library's own, for what it does not know yet */
  atomic_uint n_connections;
  atomic_uint n_closing; /* the part that is shut down already */
  int listen_fd;
  bool is_shared; /* the listener: another process has it too, and goes on with it */
  guint port;
  char *local; /* host:port for requests without Host */
  char *spool_dir;
  uint64_t max_body;
  int64_t pull_idle_us;
  bool tls;
  VendObserve observe; /* or NULL */
  void *observe_data;
  VendRestate restate; /* or NULL */
  char *cert_pem;
  char *key_pem;
  atomic_bool closing;  /* no new connections; replies close theirs */
  atomic_bool stopping; /* no new calls */
  atomic_uint active;
};

typedef enum
{
  CALL_FRESH,    /* the handler runs, or has not run */
  CALL_ASLEEP,   /* the connection is suspended until the answer */
  CALL_ANSWERED, /* `reply` or `make` is set */
} CallState;

typedef struct
{
  char *name;
  char *value;
} QueryPair, HeaderPair;

struct VendCall
{
  VendHttpd *httpd;
  VendWorker *worker;
  struct MHD_Connection *connection;
  const char *method;
  VendMatch match;
  _Atomic int state;
  VendReply *reply;
  VendReplyMaker make; /* makes the reply from `make_data`; or NULL */
  void *make_data;
  bool is_due;        /* the next turn calls the handler */
  bool asked;         /* the handler has been called */
  bool refused_early; /* before the body was read: the client may still send */
  VendBody *body;
  uint64_t length; /* of the body; UINT64_MAX for chunks */
  uint64_t ignored_bytes;
  int64_t began_us; /* monotonic */
  int status;       /* of the reply in flight; 0 = none yet */
  GArray *query;    /* QueryPair, or NULL */
  GSList *strings;  /* owned results of getters */
  GSList *headers;  /* HeaderPair, of the coming reply */
  char *origin;
  char *remote;
  void *data;
  GDestroyNotify destroy;
  const char *raw_path; /* as sent; the library's, for as long as the call */
  VendCallLeft left;    /* guarded by `watches` */
  void *left_data;
  GDestroyNotify left_destroy;
  atomic_bool watches; /* `left` is to be called */
};

/* ---- server.c. Any thread; the worker must not end meanwhile. */
void vend_worker_resume (VendWorker *worker, struct MHD_Connection *connection);
/* Makes the worker take another turn soon. */
void vend_worker_poke (VendWorker *worker);

/* ---- accept.c. The worker's thread. */
void vend_accept_turn (VendWorker *worker);
/* Gives the connection to the library. */
void vend_accept_hand_over (VendConn *conn, const struct sockaddr *from, socklen_t size);
/* Time until the next accept; 0 = no pause. */
int vend_accept_pause_ms (const VendWorker *worker);
void vend_accept_leave (VendHttpd *httpd, const VendAddress *peer, bool counted);

/* ---- arrivals.c. The worker's thread. */
bool vend_arrivals_open (VendWorker *worker, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An accepted connection: the library gets it once its first byte is there. */
void vend_arrivals_add (VendConn *conn);
/* Before each turn of the library. */
void vend_arrivals_turn (VendWorker *worker);
/* Closes those that the library does not know. */
void vend_arrivals_end (VendWorker *worker);

/* ---- call.c */
VendCall *vend_call_new (VendWorker *worker, struct MHD_Connection *connection, const char *method);
void vend_call_free (VendCall *call);
/* Runs the handler, or sends the reply after a sleep. */
enum MHD_Result vend_call_advance (VendCall *call);

/* The connection's thread: the client has closed its side while the call is open. */
void vend_call_client_left (VendCall *call);
/* Whether a watch is set. */
bool vend_call_watches_client (const VendCall *call);

/* ---- reply.c */
/* In the form of the path, if there is another; `reply` goes over. */
VendReply *vend_reply_restated (VendReply *reply, const VendCall *call);
enum MHD_Result vend_reply_send (VendReply *reply, VendCall *call);
VendReply *vend_reply_problem (int status, const char *title, const char *detail);
/* Headers that all replies to the call have. */
void vend_reply_take_headers (VendReply *reply, VendCall *call);
/* The whole reply as bytes, for a request with an aborted body. Free with g_free. */
char *vend_reply_wire (const VendReply *reply, gsize *out_size);
int vend_reply_get_status (const VendReply *reply);
bool vend_is_token (const char *text);

/* ---- stream.c */
struct MHD_Response *vend_stream_response (VendStream *stream);
VendStream *vend_stream_new (void);
/* Connection thread: the reply of `call` is about to be sent. */
void vend_stream_attach (VendStream *stream, VendCall *call);
/* Connection thread, at the end: wakes sleeping streams, so that they can be closed. */
void vend_stream_abort_all (VendWorker *worker);

/* ---- pull.c. The worker's thread, except vend_pull_response. */
struct MHD_Response *vend_pull_response (VendSignal *signal, const VendPullFuncs *funcs, void *data,
                                         VendPull **out);
void vend_pull_attach (VendPull *pull, VendCall *call);
/* Whether the end of the client's side ends it, and that end. */
bool vend_pull_watches_client (const VendPull *pull);
void vend_pull_client_left (VendPull *pull);
/* Its connection ends. */
void vend_pull_detach (VendPull *pull);
/* Before each turn: wakes pulls with a raised signal, and pulls that slept too long. */
void vend_pulls_turn (VendWorker *worker);
/* Time until the next pull has slept too long; -1 = no pull. */
int vend_pulls_timeout_ms (const VendWorker *worker);
void vend_pulls_abort_all (VendWorker *worker);
/* After the thread has ended: releases signals that were raised too late. */
void vend_pulls_forget (VendWorker *worker);

/* ---- body.c. Functions that fail set a reply to send instead. */
/* NULL when the route reads no body. `length` is UINT64_MAX when unknown. */
bool vend_body_begin (VendCall *call, uint64_t length, VendReply **out_refusal);
bool vend_body_write (VendCall *call, const char *data, gsize size, VendReply **out_refusal);
bool vend_body_end (VendCall *call, VendReply **out_refusal);
void vend_body_free (VendBody *body);
const char *vend_body_bytes (VendBody *body, gsize *out_size);
GPtrArray *vend_body_parts (VendBody *body); /* VendPart */
void *vend_body_sink (VendBody *body);

/* ---- request.c: the error of a request before its body is read; NULL when there is none. */
VendReply *vend_request_check (VendCall *call, const char *raw_path, const char *version,
                               uint64_t *out_length);
/* True when the Content-Length of the coming request is invalid: closes the connection after a
 * reply about it. */
bool vend_request_refuse_length (VendConn *conn);
