/* A blocking HTTP client for the commands: JSON calls, files up and down. Main thread only. Any
 * transfer ends early with CANCELED after Ctrl-C when the client was given an interrupt. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "cli/client/client-config.h"
#include "cli/terminal/interrupt.h"
#include "json/json.h"

typedef struct VendClient VendClient;

bool vend_client_new (const VendConnection *connection, VendClient **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_client_free (VendClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendClient, vend_client_free)

/* Borrowed until the client is freed or given another; NULL: none. */
void vend_client_set_interrupt (VendClient *client, VendInterrupt *interrupt);

const VendClientConfig *vend_client_get_config (const VendClient *client);

/* A 2xx answer to `method` on `path` ("/v1/models"); `*out` is its JSON, NULL for an empty one, and
 * may itself be NULL. `body` may be NULL. Other answers become an error from the problem document:
 * INVALID for what the caller can put right, NOT_FOUND, UNAUTHORIZED, FORBIDDEN, CONFLICT,
 * UNAVAILABLE when trying again may help. 429 is obeyed a few times. */
bool vend_client_call (VendClient *client, const char *method, const char *path, const json_t *body,
                       json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Like vend_client_call, but any answer with a status is a success: `*out_status` and `*out`, which
 * is NULL when the body is no JSON. */
bool vend_client_send (VendClient *client, const char *method, const char *path, const json_t *body,
                       int *out_status, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The error that an answer other than 2xx stands for. Returns false. */
bool vend_client_problem (const VendClient *client, const char *method, const char *path,
                          int status, const json_t *body, GError **error);

/* A list, following `next` until `limit` results (0 = all). `*out` looks like one page. */
bool vend_client_list (VendClient *client, const char *path, guint limit, json_t **out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Receives a body as it arrives; returning false ends the transfer. */
typedef bool (*VendClientSink) (const char *data, gsize size, void *user);

/* GET of a text that may go on for long, with the token. */
bool vend_client_read (VendClient *client, const char *path, VendClientSink sink, void *user,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* GET of any URL, without the token: output files carry their right in the URL. */
bool vend_client_download (VendClient *client, const char *url, VendClientSink sink, void *user,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Streams a file to /v1/files as multipart; `*out` is the file object. */
bool vend_client_upload_file (VendClient *client, const char *path, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  int fd;                                         /* read with pread */
  uint64_t offset;                                /* of the piece in the file and in the upload */
  uint64_t size;                                  /* of the piece */
  void (*progress) (uint64_t offset, void *user); /* or NULL */
  void *user;
} VendClientPiece;

/* PATCH of one piece of a resumable upload. Answers as vend_client_send. */
bool vend_client_send_piece (VendClient *client, const char *path, const VendClientPiece *piece,
                             int *out_status, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
