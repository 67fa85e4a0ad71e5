/* The parts of a connection. */
#pragma once
#include <gio/gio.h>

#include "egress/connection.h"
#include "egress/flow.h"
#include "egress/head.h"

#define VEND_PROXY_ADDRESSES 16 /* of a name that are tried */

typedef enum
{
  VEND_PROXY_HEAD_STATE,    /* reads the head of the request */
  VEND_PROXY_RESOLVE_STATE, /* waits for the addresses of the name */
  VEND_PROXY_CONNECT_STATE, /* waits for the server's socket */
  VEND_PROXY_RELAY_STATE,   /* moves bytes */
  VEND_PROXY_REPLY_STATE,   /* writes an answer of its own */
  VEND_PROXY_LINGER_STATE,  /* reads what the client still sends, so that it gets the answer */
  VEND_PROXY_ENDED_STATE
} VendProxyState;

/* Outlives the connection, until the resolver answers. */
typedef struct
{
  VendProxyConnection *connection; /* NULL when it is gone */
} VendProxyLookup;

struct VendProxyConnection
{
  const VendProxyShared *shared;
  VendProxyState state;
  int client;
  int server;
  GSource *source;
  void *client_tag; /* in `source`; NULL = not watched */
  void *server_tag;

  VendProxyRequest *request;
  VendFlow up;        /* client → server */
  VendFlow down;      /* server → client */
  uint64_t body_left; /* of a plain body: bytes that were not read yet */
  bool awaits_answer; /* the head of the answer is not there yet */
  bool up_is_shut;    /* the end was passed on */
  bool down_is_shut;

  GCancellable *cancellable;
  VendProxyLookup *lookup;
  VendAddress addresses[VEND_PROXY_ADDRESSES];
  guint n_addresses;
  guint next_address;
  int connect_errno; /* of the last try */

  int64_t deadline_us; /* monotonic */
  gsize lingered;
  bool is_reported;
  bool has_passed; /* there was a connection to the server */
};

/* Ends the try with an answer of the proxy's own: the status, `X-Vend-Error`, and a sentence. */
void vend_proxy_reply (VendProxyConnection *connection, int status, VendProxyVerdict verdict,
                       const char *sentence);
/* A report about this connection. */
void vend_proxy_tell (VendProxyConnection *connection, VendProxyVerdict verdict, guint connections);
void vend_proxy_set_deadline (VendProxyConnection *connection, int64_t from_now_us);
