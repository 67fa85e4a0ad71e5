/* State of each open connection, beside the library's: its peer, the awaited event, and the
 * deadline. On the connection's worker. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <microhttpd.h>

#include "base/network.h"

#define VEND_CONN_LIBRARY_BYTES 8192 /* a chunk line or a trailer without a line end */

typedef struct VendConn VendConn;
typedef struct VendConns VendConns;

typedef enum
{
  VEND_CONN_WAITING, /* for a complete head */
  VEND_CONN_BODY,    /* its body is being read */
  VEND_CONN_REPLY,   /* waits for its reply, or sends it */
  VEND_CONN_CLOSING, /* shut down; the library releases it in its next turn */
} VendConnPhase;

struct VendConn
{
  struct VendWorker *worker;
  struct MHD_Connection *connection; /* NULL before its first byte */
  struct VendCall *call;             /* the one in flight, or NULL */
  struct VendPull *pull;             /* the body in flight, or NULL */
  int fd;
  VendConnPhase phase;
  bool counted; /* counted for its peer */
  VendAddress peer;
  int64_t since_us;   /* start of the phase */
  int64_t head_us;    /* first byte of the coming head; 0: none yet */
  uint64_t received;  /* bytes at the last check; 0: no check since the last request */
  uint64_t position;  /* end of the last complete request in the stream (plain HTTP) */
  const char *target; /* of the coming request, in the library's memory; NULL before its line */
  gsize target_size;
  bool target_is_clean; /* no spaces or control characters */
  bool chunked;
  uint64_t body_bytes;
  int64_t piece_us;     /* time of the last piece of the body */
  uint64_t piece_spins; /* VendConns.spins at that time */
  int64_t checked_us;
  GList by_wait;  /* in VendConns.waiting */
  GList by_check; /* in VendConns.checks */
  GList chunks;   /* in VendConns.chunked */
};

struct VendConns
{
  GQueue waiting; /* the longest wait first */
  GQueue checks;  /* the longest time without a check first */
  GQueue chunked; /* connections with a chunked body */
  uint64_t spins; /* turns in which the library wanted to run and did nothing */
  guint idle_turns;
  bool progress; /* in the last turn */
};

/* An accepted connection, before the library knows it; it waits for its first head. */
VendConn *vend_conn_new (struct VendWorker *worker, int fd, const VendAddress *peer, bool counted);
void vend_conn_begin (VendConn *conn, struct MHD_Connection *connection);
void vend_conn_end (VendConn *conn);
VendConn *vend_conn_of (struct MHD_Connection *connection);

/* Steps of a request. `length` is UINT64_MAX for chunks. */
void vend_conn_request_line (VendConn *conn, const char *target);
void vend_conn_body (VendConn *conn, gsize head_bytes, uint64_t length);
void vend_conn_piece (VendConn *conn, gsize size);
/* Bytes of the body are still to come; true for chunks, whose number is not known. */
bool vend_conn_wants_body (const VendConn *conn, uint64_t length);
void vend_conn_reply (VendConn *conn);
/* The library has found an invalid Content-Length in one of the heads in progress, without telling
 * which. */
void vend_conns_refuse_length (struct VendWorker *worker);
void vend_conn_request_end (VendConn *conn, uint64_t length);

/* Writes past the library, for a request that the library takes no reply for. Does not wait for the
 * socket. */
void vend_conn_write (VendConn *conn, const char *bytes, gsize size);
/* Closes in the library's next turn, after a problem document when `status` is not 0. */
void vend_conn_close (VendConn *conn, int status, const char *title, const char *detail);

/* Whether the socket has bytes that the library has not read. */
bool vend_conn_has_unread (const VendConn *conn);

/* Makes room: closes the connection with the longest wait for a head. False when none waits. */
bool vend_conns_evict (struct VendWorker *worker);
/* After each turn of the library: closes connections past their deadlines. */
void vend_conns_turn (struct VendWorker *worker);
int vend_conns_timeout_ms (const struct VendWorker *worker);
/* The library wants another turn at once: true when it has done that for long without progress. */
bool vend_conns_is_spinning (struct VendWorker *worker);
