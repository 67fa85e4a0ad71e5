/* Downloads files, several at once. One thread, with a main context of its own. */
#include "weights/download.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "net/egress.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAX_TRIES 6
#define RETRY_MS 250 /* doubled by each try */
#define LOOK_MS 200
#define SAY_US (10 * VEND_US_PER_S)
#define STALL_US (60 * VEND_US_PER_S)
#define MIN_SPEED 1024
#define MAX_REDIRECTS 10
#define CHUNK ((gsize) 1 << 20)
#define PRECONDITION_RANGE 416

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct Run Run;

typedef struct
{
  Run *run;
  VendDownload *what;
  char *part;
  int fd;
  int64_t done;
  EVP_MD_CTX *sha256;
  EVP_MD_CTX *git;
  VendEgressCall *call;
  GString *text; /* kept in memory; NULL: in the file */
  gsize limit;   /* of the text */
  GSource *retry;
  guint tries;
  int64_t tried_at; /* `done` at the start of the try */
  bool is_new;      /* nothing of this try's answer came yet */
  bool was_wrong;   /* a whole file with another checksum came once */
  bool is_over;
  GError *problem; /* of the sink */
} Transfer;

struct Run
{
  const VendDownloads *how;
  GMainContext *context;
  VendEgress *egress;
  GPtrArray *transfers;
  guint next; /* not begun yet */
  guint n_active;
  guint n_over;
  int64_t said_us;
  GError *error;
};

static void begin (Transfer *transfer);

VendDownload *
vend_download_new (const char *label, const char *url)
{
  VendDownload *download = g_new0 (VendDownload, 1);
  download->label = g_strdup (label);
  download->url = g_strdup (url);
  download->size = -1;
  return download;
}

void
vend_download_free (VendDownload *download)
{
  if (download == NULL)
    return;
  g_free (download->label);
  g_free (download->url);
  g_free (download->sha256);
  g_free (download->git);
  g_free (download->got);
  g_free (download);
}

static void
transfer_free (void *data)
{
  Transfer *transfer = data;
  if (transfer->call != NULL)
    vend_egress_cancel (transfer->call);
  if (transfer->retry != NULL)
    {
      g_source_destroy (transfer->retry);
      g_source_unref (transfer->retry);
    }
  vend_fd_clear (&transfer->fd);
  EVP_MD_CTX_free (transfer->sha256);
  EVP_MD_CTX_free (transfer->git);
  g_clear_error (&transfer->problem);
  if (transfer->text != NULL)
    g_string_free (transfer->text, TRUE);
  g_free (transfer->part);
  g_free (transfer);
}

static void G_GNUC_PRINTF (2, 3) say (const Run *run, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  if (run->how->say != NULL)
    run->how->say (line, run->how->data);
}

/* ---- The checksum while it arrives */

static void
start_hashes (Transfer *transfer)
{
  if (transfer->sha256 == NULL)
    {
      transfer->sha256 = EVP_MD_CTX_new ();
      transfer->git = EVP_MD_CTX_new ();
    }
  EVP_DigestInit_ex (transfer->sha256, EVP_sha256 (), NULL);
  EVP_DigestInit_ex (transfer->git, EVP_sha1 (), NULL);
  if (transfer->what->git != NULL)
    {
      g_autofree char *head
          = g_strdup_printf ("blob %" G_GINT64_FORMAT, MAX (transfer->what->size, 0));
      EVP_DigestUpdate (transfer->git, head, strlen (head) + 1);
    }
}

static void
add_to_hashes (const Transfer *transfer, const void *bytes, gsize size)
{
  EVP_DigestUpdate (transfer->sha256, bytes, size);
  if (transfer->what->git != NULL)
    EVP_DigestUpdate (transfer->git, bytes, size);
}

static char *
hex_of (EVP_MD_CTX *hash)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (hash, digest, &size);
  return vend_hex (digest, size);
}

/* ---- The part on disk */

static bool
is_resumable (const VendDownload *what)
{
  return what->sha256 != NULL || what->git != NULL;
}

static bool
empty_part (Transfer *transfer, GError **error)
{
  transfer->done = 0;
  start_hashes (transfer);
  if (transfer->text != NULL)
    {
      g_string_truncate (transfer->text, 0);
      return true;
    }
  if (ftruncate (transfer->fd, 0) < 0 || lseek (transfer->fd, 0, SEEK_SET) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "empty '%s'", transfer->part);
  return true;
}

/* Reads what an earlier try has brought. */
static bool
read_part (Transfer *transfer, GError **error)
{
  g_autofree char *chunk = g_malloc (CHUNK);
  if (!is_resumable (transfer->what))
    return empty_part (transfer, error);
  start_hashes (transfer);
  for (;;)
    {
      const ssize_t n = read (transfer->fd, chunk, CHUNK);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", transfer->part);
      if (n == 0)
        break;
      add_to_hashes (transfer, chunk, (gsize) n);
      transfer->done += n;
    }
  if (transfer->what->size >= 0 && transfer->done > transfer->what->size)
    return empty_part (transfer, error);
  return true;
}

static char *
part_path (const Transfer *transfer, const char *more)
{
  const VendDownload *what = transfer->what;
  const char *expected = what->sha256 != NULL ? what->sha256 : what->git != NULL ? what->git : "";
  g_autofree char *text = g_strconcat (what->url, "\n", expected, NULL);
  g_autofree char *key = vend_sha256_text (text);
  g_autofree char *name = g_strconcat (key, more, VEND_DOWNLOAD_PART, NULL);
  return g_build_filename (transfer->run->how->parts_dir, name, NULL);
}

/* Somebody else who downloads the same has the lock, and a part of his own is made. */
static bool
open_part (Transfer *transfer, GError **error)
{
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  transfer->part = part_path (transfer, "");
  transfer->fd = open (transfer->part, flags, 0600);
  if (transfer->fd >= 0 && flock (transfer->fd, LOCK_EX | LOCK_NB) < 0)
    {
      g_autofree char *other = g_uuid_string_random ();
      vend_fd_clear (&transfer->fd);
      g_free (transfer->part);
      transfer->part = part_path (transfer, other);
      transfer->fd = open (transfer->part, flags, 0600);
    }
  if (transfer->fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", transfer->part);
  return read_part (transfer, error);
}

/* ---- The end of one */

static void
over (Transfer *transfer, GError *error)
{
  Run *run = transfer->run;
  transfer->is_over = true;
  vend_fd_clear (&transfer->fd);
  run->n_active--;
  run->n_over++;
  if (error != NULL && run->error == NULL)
    g_propagate_error (&run->error, error);
  else
    g_clear_error (&error);
}

static gboolean
on_retry (void *data)
{
  Transfer *transfer = data;
  g_clear_pointer (&transfer->retry, g_source_unref);
  begin (transfer);
  return G_SOURCE_REMOVE;
}

/* Progress makes the count of tries begin again. Takes the error. */
static void
try_again (Transfer *transfer, GError *error)
{
  if (transfer->done > transfer->tried_at)
    transfer->tries = 0;
  if (++transfer->tries >= MAX_TRIES)
    {
      over (transfer, error);
      return;
    }
  say (transfer->run, "%s; trying again", error->message);
  g_error_free (error);
  transfer->retry = g_timeout_source_new (RETRY_MS << (transfer->tries - 1));
  g_source_set_callback (transfer->retry, on_retry, transfer, NULL);
  g_source_attach (transfer->retry, transfer->run->context);
}

/* A file of the same size with other bytes may come from a proxy in between, once. */
static void
came_wrong (Transfer *transfer, const char *expected, const char *got)
{
  GError *error = NULL;
  vend_fail (&error, VEND_ERROR_RUNNER, "%s: expected checksum %s, got %s", transfer->what->label,
             expected, got);
  GError *problem = NULL;
  if (!empty_part (transfer, &problem))
    {
      g_error_free (error);
      over (transfer, problem);
    }
  else if (transfer->was_wrong)
    over (transfer, error);
  else
    {
      transfer->was_wrong = true;
      transfer->tried_at = 0;
      try_again (transfer, error);
    }
}

static void
keep (Transfer *transfer, char *sha256)
{
  VendDownload *what = transfer->what;
  GError *error = NULL;
  what->got = sha256;
  what->got_size = transfer->done;
  if (transfer->text == NULL)
    {
      g_autofree char *to = g_build_filename (transfer->run->how->to_dir, sha256, NULL);
      if (rename (transfer->part, to) < 0)
        vend_fail_errno (&error, VEND_ERROR_STORAGE, errno, "move '%s'", transfer->part);
    }
  over (transfer, error);
}

static void
check (Transfer *transfer)
{
  const VendDownload *what = transfer->what;
  GError *error = NULL;
  if (what->size >= 0 && transfer->done < what->size)
    {
      vend_fail (&error, VEND_ERROR_UNAVAILABLE,
                 "%s: the server sent %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " bytes",
                 what->label, transfer->done, what->size);
      try_again (transfer, error);
      return;
    }
  g_autofree char *sha256 = hex_of (transfer->sha256);
  g_autofree char *git = hex_of (transfer->git);
  if (what->sha256 != NULL && strcmp (sha256, what->sha256) != 0)
    came_wrong (transfer, what->sha256, sha256);
  else if (what->git != NULL && strcmp (git, what->git) != 0)
    came_wrong (transfer, what->git, git);
  else
    keep (transfer, g_steal_pointer (&sha256));
}

/* ---- One call */

static bool
take_bytes (const char *bytes, gsize size, void *data)
{
  Transfer *transfer = data;
  const long status = vend_egress_status (transfer->call);
  if (status != 200 && status != 206)
    return true;
  const bool is_new = transfer->is_new;
  transfer->is_new = false;
  /* The whole file, though the rest was asked for. */
  if (is_new && status == 200 && transfer->done > 0)
    {
      transfer->tried_at = 0;
      if (!empty_part (transfer, &transfer->problem))
        return false;
    }
  const int64_t most
      = transfer->what->size >= 0 ? transfer->what->size : (int64_t) transfer->run->how->max_size;
  if ((int64_t) size > most - transfer->done
      || (transfer->text != NULL && size > transfer->limit - transfer->text->len))
    {
      return vend_fail (&transfer->problem, VEND_ERROR_RUNNER,
                        "%s: more than the expected %" G_GINT64_FORMAT " bytes came",
                        transfer->what->label,
                        transfer->text != NULL ? (int64_t) transfer->limit : most);
    }
  if (transfer->text != NULL)
    g_string_append_len (transfer->text, bytes, (gssize) size);
  else if (!vend_fd_write_all (transfer->fd, bytes, size, &transfer->problem))
    return false;
  add_to_hashes (transfer, bytes, size);
  transfer->done += (int64_t) size;
  return true;
}

static const char *
advice_of (const VendDownload *what, long status)
{
  if (status != 401 && status != 403)
    return "";
  return what->token != NULL ? "; the server's HF_TOKEN may not read it"
                             : "; it may need a token, HF_TOKEN of the server";
}

static bool
is_passing (long status)
{
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void
refused (Transfer *transfer, long status)
{
  GError *error = NULL;
  vend_fail (&error, is_passing (status) ? VEND_ERROR_UNAVAILABLE : VEND_ERROR_RUNNER,
             "%s: the server answers %ld%s", transfer->what->label, status,
             advice_of (transfer->what, status));
  if (is_passing (status))
    try_again (transfer, error);
  else
    over (transfer, error);
}

static void
answered (const VendEgressResponse *answer, void *data)
{
  Transfer *transfer = data;
  GError *error = NULL;
  transfer->call = NULL;
  if (transfer->problem != NULL)
    {
      over (transfer, g_steal_pointer (&transfer->problem));
      return;
    }
  if (answer->problem != NULL)
    {
      vend_fail (&error, VEND_ERROR_UNAVAILABLE, "%s: %s", transfer->what->label, answer->problem);
      try_again (transfer, error);
    }
  else if (answer->status == PRECONDITION_RANGE && transfer->done > 0)
    {
      if (transfer->done == transfer->what->size)
        check (transfer);
      else if (empty_part (transfer, &error))
        begin (transfer);
      else
        over (transfer, error);
    }
  else if (answer->status != 200 && answer->status != 206)
    refused (transfer, answer->status);
  else
    check (transfer);
}

static void
begin (Transfer *transfer)
{
  Run *run = transfer->run;
  const VendDownload *what = transfer->what;
  GError *error = NULL;
  g_autofree char *range = NULL;
  g_autofree char *authorization = NULL;
  const char *headers[3] = { NULL };
  guint n = 0;
  if (transfer->fd < 0 && transfer->text == NULL && !open_part (transfer, &error))
    {
      over (transfer, error);
      return;
    }
  if (!is_resumable (what) && transfer->done > 0 && !empty_part (transfer, &error))
    {
      over (transfer, error);
      return;
    }
  if (transfer->sha256 == NULL)
    start_hashes (transfer);
  if (transfer->done > 0 && transfer->done == what->size)
    {
      check (transfer);
      return;
    }
  if (transfer->done > 0)
    headers[n++] = range = g_strdup_printf ("Range: bytes=%" G_GINT64_FORMAT "-", transfer->done);
  if (what->token != NULL)
    headers[n++] = authorization = g_strconcat ("Authorization: Bearer ", what->token, NULL);
  transfer->tried_at = transfer->done;
  transfer->is_new = true;
  transfer->call
      = vend_egress_start (run->egress, &(VendEgressRequest){ .url = what->url,
                                                              .headers = headers,
                                                              .max_redirects = MAX_REDIRECTS,
                                                              .stall_us = STALL_US,
                                                              .min_speed = MIN_SPEED,
                                                              .max_size = G_MAXINT64,
                                                              .sink = take_bytes,
                                                              .done = answered,
                                                              .data = transfer });
}

/* ---- All of them */

static void
say_progress (Run *run)
{
  const int64_t now_us = g_get_monotonic_time ();
  if (now_us - run->said_us < SAY_US)
    return;
  run->said_us = now_us;
  for (guint i = 0; i < run->next; i++)
    {
      const Transfer *transfer = g_ptr_array_index (run->transfers, i);
      if (transfer->is_over || transfer->done == 0)
        continue;
      g_autofree char *done = g_format_size ((guint64) transfer->done);
      g_autofree char *size = transfer->what->size >= 0
                                  ? g_format_size ((guint64) transfer->what->size)
                                  : g_strdup ("?");
      say (run, "%s: %s of %s", transfer->what->label, done, size);
    }
}

static gboolean
on_look (void *data)
{
  Run *run = data;
  if (run->how->stops != NULL && g_atomic_int_get (run->how->stops) != 0 && run->error == NULL)
    vend_fail (&run->error, VEND_ERROR_CANCELED, "the download was stopped");
  say_progress (run);
  return G_SOURCE_CONTINUE;
}

static bool
run_all (Run *run, GError **error)
{
  g_autoptr (GSource) look = g_timeout_source_new (LOOK_MS);
  run->context = g_main_context_new ();
  run->egress = vend_egress_new (run->context, run->how->allow, run->how->setting);
  run->said_us = g_get_monotonic_time ();
  g_source_set_callback (look, on_look, run, NULL);
  g_source_attach (look, run->context);
  while (run->error == NULL && run->n_over < run->transfers->len)
    {
      while (run->n_active < VEND_DOWNLOADS_AT_ONCE && run->next < run->transfers->len
             && run->error == NULL)
        {
          run->n_active++;
          begin (g_ptr_array_index (run->transfers, run->next++));
        }
      if (run->error == NULL && run->n_over < run->transfers->len)
        g_main_context_iteration (run->context, TRUE);
    }
  g_source_destroy (look);
  if (run->error == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&run->error));
  return false;
}

static void
run_clear (Run *run)
{
  g_clear_pointer (&run->transfers, g_ptr_array_unref);
  g_clear_pointer (&run->egress, vend_egress_free);
  g_clear_pointer (&run->context, g_main_context_unref);
  g_clear_error (&run->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static Transfer *
add_transfer (Run *run, VendDownload *what)
{
  Transfer *transfer = g_new0 (Transfer, 1);
  *transfer = (Transfer){ .run = run, .what = what, .fd = -1 };
  g_ptr_array_add (run->transfers, transfer);
  return transfer;
}

bool
vend_downloads_run (const VendDownloads *how, const GPtrArray *all, GError **error)
{
  g_auto (Run) run = { .how = how };
  run.transfers = g_ptr_array_new_with_free_func (transfer_free);
  if (!vend_dir_ensure (how->parts_dir, error) || !vend_dir_ensure (how->to_dir, error))
    return false;
  for (guint i = 0; i < all->len; i++)
    add_transfer (&run, g_ptr_array_index (all, i));
  return run_all (&run, error);
}

bool
vend_download_text (const VendDownloads *how, const VendDownload *what, gsize limit, char **out,
                    gsize *out_size, GError **error)
{
  g_auto (Run) run = { .how = how };
  VendDownload own = *what;
  own.got = NULL;
  run.transfers = g_ptr_array_new_with_free_func (transfer_free);
  Transfer *transfer = add_transfer (&run, &own);
  transfer->text = g_string_new (NULL);
  transfer->limit = limit;
  const bool good = run_all (&run, error);
  g_free (own.got);
  if (!good)
    return false;
  *out_size = transfer->text->len;
  *out = g_string_free (g_steal_pointer (&transfer->text), FALSE);
  return true;
}

void
vend_downloads_sweep (const char *parts_dir, int64_t life_us)
{
  g_autoptr (GDir) listing = g_dir_open (parts_dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (parts_dir, name, NULL);
      struct stat st;
      if (g_str_has_suffix (name, VEND_DOWNLOAD_PART) && lstat (path, &st) == 0
          && vend_now_us () - (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S >= life_us)
        unlink (path);
    }
}
