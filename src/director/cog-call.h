/* One short HTTP request to the model server on loopback, with a bounded reply. Main context. */
#pragma once
#include <stdbool.h>
#include <curl/curl.h>
#include <glib.h>

#include "net/curl-context.h"

#define VEND_COG_REPLY_MAX ((gsize) 16 << 20) /* openapi.json is the largest */

typedef struct VendCogCall VendCogCall;

/* `status` is 0 when no reply came; `problem` says why then. The call is freed afterwards. */
typedef void (*VendCogReply) (long status, const char *body, gsize size, const char *problem,
                              void *data);

/* `body` is NULL or JSON text, copied. */
VendCogCall *vend_cog_call_start (VendCurlContext *curl, const char *method, const char *url,
                                  const char *body, long timeout_ms, VendCogReply reply,
                                  void *data);
/* No reply will come; frees the call. */
void vend_cog_call_cancel (VendCogCall *call);

/* Settings that every request to the model server has. */
void vend_cog_setup_easy (CURL *easy);
