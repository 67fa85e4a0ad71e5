/* The state of each open connection, beside that of the library: its peer, the event that it waits
 * for, and the deadline. All on the connection's worker. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <microhttpd.h>

#include "base/network.h"

#define VEND_CONN_LIBRARY_BYTES 8192 /* a chunk line or a trailer that ends in no line */

typedef struct VendConn VendConn;
typedef struct VendConns VendConns;

typedef enum
{
  VEND_CONN_WAITING, /* for a complete head */
  VEND_CONN_BODY,    /* its body is being read */
  VEND_CONN_REPLY,   /* waits for its reply, or receives it */
  VEND_CONN_CLOSING, /* shut down; the library lets go of it in its next turn */
} VendConnPhase;

struct VendConn
{
  struct VendWorker *worker;
  struct MHD_Connection *connection;
  int fd;
  VendConnPhase phase;
  bool counted; /* among those of its peer */
  VendAddress peer;
  int64_t since_us;   /* of the phase */
  int64_t head_us;    /* first byte of the coming head; 0: none was seen */
  uint64_t received;  /* bytes when the last look was had; 0: none was had since the last request */
  uint64_t position;  /* of the stream, as far as requests were complete (plain HTTP) */
  const char *target; /* of the coming request, in the library's memory; NULL before its line */
  gsize target_size;
  bool target_is_clean; /* of spaces and control characters */
  bool chunked;
  uint64_t body_bytes;
  int64_t piece_us;     /* of the last piece of the body */
  uint64_t piece_spins; /* VendConns.spins then */
  int64_t checked_us;
  GList by_wait;  /* in VendConns.waiting */
  GList by_check; /* in VendConns.checks */
  GList chunks;   /* in VendConns.chunked */
};

struct VendConns
{
  GQueue waiting; /* the one that waits longest first */
  GQueue checks;  /* the one longest without a look first */
  GQueue chunked; /* those whose body comes in chunks */
  uint64_t spins; /* turns in which the library had something to do and did nothing */
  guint idle_turns;
  bool progress; /* in the last turn */
};

/* A connection that was accepted, before the library knows it. */
VendConn *vend_conn_new (struct VendWorker *worker, int fd, const VendAddress *peer, bool counted);
void vend_conn_begin (VendConn *conn, struct MHD_Connection *connection);
void vend_conn_end (VendConn *conn);
VendConn *vend_conn_of (struct MHD_Connection *connection);

/* The steps of a request. `length` is UINT64_MAX for chunks. */
void vend_conn_request_line (VendConn *conn, const char *target);
void vend_conn_body (VendConn *conn, gsize head_bytes, uint64_t length);
void vend_conn_piece (VendConn *conn, gsize size);
void vend_conn_reply (VendConn *conn);
/* The library has found a Content-Length that is no number, in one of the heads that are being
 * read, and does not say in which. */
void vend_conns_refuse_length (struct VendWorker *worker);
void vend_conn_request_end (VendConn *conn, uint64_t length);

/* Writes past the library, for a request that it takes no reply for, as far as the socket takes it
 * at once. */
void vend_conn_write (VendConn *conn, const char *bytes, gsize size);
/* Closes in the library's next turn, after a problem document when `status` is not 0. */
void vend_conn_close (VendConn *conn, int status, const char *title, const char *detail);

/* Bytes that the library has not taken yet. */
bool vend_conn_has_unread (const VendConn *conn);

/* Makes room: closes the one that has waited longest for a head. False when none waits. */
bool vend_conns_evict (struct VendWorker *worker);
/* After each turn of the library: closes what is over its time. */
void vend_conns_turn (struct VendWorker *worker);
int vend_conns_timeout_ms (const struct VendWorker *worker);
/* The library wants another turn at once: true when it has wanted that for long without doing
 * anything in it. */
bool vend_conns_is_spinning (struct VendWorker *worker);
