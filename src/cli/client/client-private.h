/* One HTTP exchange, for client.c and transfer.c. Main thread only. */
#pragma once
#include "cli/client/client.h"
#include <curl/curl.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CURL, curl_easy_cleanup)

struct VendClient
{
  VendClientConfig *config;
  CURL *curl;
  VendInterrupt *interrupt; /* borrowed, or NULL */
};

typedef struct
{
  const char *method;
  const char *url;              /* absolute */
  bool is_anonymous;            /* no token */
  bool is_patient;              /* silence is no failure */
  const char *body;             /* JSON text, or NULL */
  curl_mime *form;              /* or NULL; borrowed */
  const VendClientPiece *piece; /* or NULL */
  VendClientSink sink;          /* of a 2xx body; NULL: it is collected */
  void *user;
} VendExchange;

typedef struct
{
  int status;
  json_t *body; /* NULL: none, or no JSON */
  bool is_empty;
  int64_t retry_after_s;
} VendResponse;

void vend_response_clear (VendResponse *response);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendResponse, vend_response_clear)

/* True for any answer, false when there was none. */
bool vend_client_exchange (VendClient *client, const VendExchange *exchange, VendResponse *out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `path` on the client's server. Free with g_free. */
char *vend_client_url_of (const VendClient *client, const char *path) G_GNUC_WARN_UNUSED_RESULT;
