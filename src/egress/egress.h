/* The way out of a network namespace: an HTTP proxy for the programs in it. It takes CONNECT and
 * requests with an http URL, looks a name up once, and connects to public addresses only: to none
 * that is private, loopback, link-local, of a metadata service or of this host, unless the operator
 * allowed it. It asks for no credentials. One thread, that of its context; nothing blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/network.h"

#define VEND_PROXY_CONNECTIONS 256     /* each has at most two descriptors */
#define VEND_PROXY_HEAD (32 * 1024)    /* bytes of the head of a request */
#define VEND_PROXY_REPORT_US 5000000   /* what repeats is reported once in this time */
#define VEND_PROXY_REPORT_LINES 64     /* different lines in this time */
#define VEND_PROXY_HEAD_US 30000000    /* for the whole head of a request */
#define VEND_PROXY_CONNECT_US 15000000 /* to look the name up, and to connect: each */
#define VEND_PROXY_IDLE_US 300000000   /* without a byte in either direction */

typedef enum
{
  VEND_PROXY_PASSED,
  VEND_PROXY_REFUSED,      /* 403: no address that may be reached */
  VEND_PROXY_UNKNOWN_HOST, /* 502: the name has no address */
  VEND_PROXY_UNREACHABLE,  /* 502: no connection, or no answer in HTTP */
  VEND_PROXY_TIMEOUT,      /* 504 or 408 */
  VEND_PROXY_INVALID,      /* 400, 431: no request that a proxy takes */
  VEND_PROXY_N_VERDICTS
} VendProxyVerdict;

/* "passed", "refused", "unknown-host", "unreachable", "timeout", "invalid": of X-Vend-Error too. */
const char *vend_proxy_verdict_name (VendProxyVerdict verdict);

/* What happened between two programs. The first of a kind is reported at once; repeats are added
 * up. */
typedef struct
{
  VendProxyVerdict verdict;
  const char *host; /* as it was asked for, in lower case; NULL when the request has none */
  guint16 port;
  const char *address; /* that was connected to; NULL = none */
  guint connections;   /* new ones of this kind; 0 = bytes of those that were reported before */
  uint64_t sent;       /* bytes from inside */
  uint64_t received;
  guint64 left_out; /* connections of kinds that had no line; then all else is 0 */
} VendProxyReport;

typedef struct
{
  GMainContext *context;
  const VendNetworks *allow; /* borrowed: what may be reached although it is not public; or NULL */
  const VendNetworks *deny;  /* borrowed: what may not, whatever `allow` says; or NULL */
  const char *setting;       /* the name of the setting of `allow`, for sentences; or NULL */
  /* 0 = the values above. */
  guint max_connections; /* more wait in the listener's queue */
  gsize max_head;        /* at most VEND_PROXY_HEAD */
  int64_t head_us;
  int64_t connect_us;
  int64_t idle_us;
  /* Called from the context; must not free the proxy. May be NULL. */
  void (*report) (const VendProxyReport *report, void *data);
  void *data;
} VendProxyOptions;

typedef struct VendProxy VendProxy;

/* Takes `listener`, a listening TCP socket of any namespace; connections to it are served from the
 * namespace of this process. */
VendProxy *vend_proxy_new (int listener, const VendProxyOptions *options) G_GNUC_WARN_UNUSED_RESULT;
/* Closes everything, and reports what was not reported. */
void vend_proxy_free (VendProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendProxy, vend_proxy_free)

/* Open connections from inside. */
guint vend_proxy_connections (const VendProxy *proxy);
