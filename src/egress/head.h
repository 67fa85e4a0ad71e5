/* Heads of HTTP/1 messages that pass through the proxy: read strictly, and written anew without
 * what is meant for the proxy alone. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "egress/destination.h"

typedef enum
{
  VEND_BODY_PLAIN,   /* `body_size` bytes; 0 = none */
  VEND_BODY_CHUNKED, /* the receiver finds its end */
} VendBodyKind;

typedef struct
{
  VendDestination to;
  bool is_connect;
  bool is_head;  /* HEAD: the answer has no body */
  GString *anew; /* what the server gets; NULL for CONNECT */
  VendBodyKind body;
  uint64_t body_size;
} VendProxyRequest;

/* Bytes of a whole head at the begin of `bytes`, with its empty line; 0 = not yet there. With
 * `lenient` a line may end in a bare LF. */
gsize vend_head_find (const char *bytes, gsize size, bool lenient);

/* `head` is whole, of `size` bytes. INVALID says what is wrong. */
bool vend_head_read_request (const char *head, gsize size, VendProxyRequest **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_proxy_request_free (VendProxyRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendProxyRequest, vend_proxy_request_free)

/* The head of an answer, for a connection that ends with it. An interim answer (1xx) is passed on
 * as it is, and `*out_is_interim` says that another follows. INVALID when it is no HTTP/1. Free
 * with g_string_free. */
bool vend_head_read_answer (const char *head, gsize size, GString **out, bool *out_is_interim,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
