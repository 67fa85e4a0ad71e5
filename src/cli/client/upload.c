/* Sends a packed source in pieces. Main thread only. */
#include "cli/client/upload.h"
#include "base/clock.h"
#include "base/error.h"

#define PIECE_BYTES (G_GUINT64_CONSTANT (8) << 20)
#define MAX_FAILURES 8 /* in a row, without the offset moving */
#define FIRST_WAIT_US (250 * VEND_US_PER_MS)
#define MAX_WAIT_US (10 * VEND_US_PER_S)

typedef struct
{
  const VendUploadSource *source;
  VendClient *client;
  char *id;
  uint64_t offset;
  bool is_complete;
  guint n_failures;
} Upload;

static void
upload_clear (Upload *upload)
{
  g_free (upload->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Upload, upload_clear)

static void
show (uint64_t offset, void *user)
{
  const Upload *upload = user;
  if (!vend_progress_is_due (upload->source->progress))
    return;
  g_autofree char *bar = vend_progress_bar (offset, upload->source->size);
  g_autofree char *size = g_format_size (upload->source->size);
  vend_progress_show (upload->source->progress, "uploading %s of %s", bar, size);
}

/* Takes over where the server stands. */
static bool
accept_state (Upload *upload, const json_t *state, GError **error)
{
  int64_t offset = vend_json_int (state, "offset", -1);
  const char *id = vend_json_string (state, "id");
  if (offset < 0 || (uint64_t) offset > upload->source->size || (upload->id == NULL && id == NULL))
    return vend_fail (error, VEND_ERROR_INTERNAL,
                      "the server's answer has no valid offset of the upload");
  if (upload->id == NULL)
    upload->id = g_strdup (id);
  if ((uint64_t) offset > upload->offset)
    upload->n_failures = 0;
  upload->offset = (uint64_t) offset;
  upload->is_complete = vend_json_bool (state, "complete", false);
  return true;
}

/* Waits before the next try; passes `problem` on when trying again is of no use. */
static bool
back_off (Upload *upload, GError **problem, GError **error)
{
  bool may_pass = g_error_matches (*problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE)
                  || g_error_matches (*problem, VEND_ERROR, VEND_ERROR_RATE_LIMITED);
  if (!may_pass || upload->n_failures >= MAX_FAILURES)
    {
      g_propagate_error (error, g_steal_pointer (problem));
      g_prefix_error (error, "upload: ");
      return false;
    }
  int64_t wait_us = MIN (FIRST_WAIT_US << upload->n_failures++, MAX_WAIT_US);
  vend_progress_show (upload->source->progress, "%s; trying again in %.1f s", (*problem)->message,
                      (double) wait_us / (double) VEND_US_PER_S);
  g_clear_error (problem);
  if (vend_interrupt_wait (upload->source->interrupt, wait_us))
    return vend_fail (error, VEND_ERROR_CANCELED, "interrupted");
  return true;
}

static bool
ask (Upload *upload, GError **error)
{
  json_auto_t *state = NULL;
  g_autofree char *path = g_strdup_printf ("/v1/uploads/%s", upload->id);
  return vend_client_call (upload->client, "GET", path, NULL, &state, error)
         && accept_state (upload, state, error);
}

/* One piece, or news about where the upload stands. */
static bool
send_piece (Upload *upload, GError **error)
{
  json_auto_t *state = NULL;
  int status = 0;
  g_autofree char *path = g_strdup_printf ("/v1/uploads/%s", upload->id);
  const VendClientPiece piece
      = { .fd = upload->source->fd,
          .offset = upload->offset,
          .size = MIN (PIECE_BYTES, upload->source->size - upload->offset),
          .progress = vend_progress_is_shown (upload->source->progress) ? show : NULL,
          .user = upload };
  if (!vend_client_send_piece (upload->client, path, &piece, &status, &state, error))
    return false;
  if (status / 100 == 2)
    return accept_state (upload, state, error);
  if (status != 409 || vend_json_int (state, "offset", -1) < 0)
    return vend_client_problem (upload->client, "PATCH", path, status, state, error);

  /* Another offset than expected: counts as a failure, or client and server would disagree for
   * ever. */
  guint n_failures = upload->n_failures + 1;
  if (!accept_state (upload, state, error))
    return false;
  upload->n_failures = n_failures;
  return n_failures <= MAX_FAILURES
         || vend_fail (error, VEND_ERROR_CONFLICT,
                       "the server keeps answering with another offset; push again");
}

static bool
start (Upload *upload, GError **error)
{
  json_auto_t *body = json_pack ("{s:s, s:I}", "sha256", upload->source->sha256, "size",
                                 (json_int_t) upload->source->size);
  if (upload->source->is_import)
    vend_json_set_bool (body, "import", true);
  for (;;)
    {
      json_auto_t *state = NULL;
      g_autoptr (GError) problem = NULL;
      if (vend_client_call (upload->client, "POST", "/v1/uploads", body, &state, &problem))
        return accept_state (upload, state, error);
      if (!back_off (upload, &problem, error))
        return false;
    }
}

bool
vend_upload_run (const VendUploadSource *source, VendClient *client, char **out_id, GError **error)
{
  g_auto (Upload) upload = { .source = source, .client = client };
  bool is_lost = false; /* after a failure only the server knows what arrived */

  if (!start (&upload, error))
    return false;
  while (!upload.is_complete)
    {
      g_autoptr (GError) problem = NULL;
      show (upload.offset, &upload);
      if (!is_lost && upload.offset == source->size)
        return vend_fail (
            error, VEND_ERROR_INTERNAL,
            "the server has all bytes of the upload, but does not report the upload as complete");
      is_lost = !(is_lost ? ask (&upload, &problem) : send_piece (&upload, &problem));
      if (is_lost && !back_off (&upload, &problem, error))
        return false;
    }
  vend_progress_clear (source->progress);
  *out_id = g_steal_pointer (&upload.id);
  return true;
}
