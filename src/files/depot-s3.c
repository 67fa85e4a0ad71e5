/* Contents as objects of a bucket. */
#include "files/depot.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "files/s3.h"
#include "files/s3-text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_NAME 128
#define BROKEN_UPLOAD_US (24 * 3600 * VEND_US_PER_S)
/* Connections lost one after the other without a byte between them. */
#define MAX_LOSSES 5
#define LOSS_PAUSE_US (200 * VEND_US_PER_MS)
#define PROBE_TEXT "vend"
#define OWNER "vend-owner" /* object that names the data directory whose sweep removes objects */

typedef struct
{
  VendDepot depot;
  VendS3 *s3;
} S3Depot;

typedef struct
{
  char text[MAX_NAME];
} Name;

static VendS3 *
s3_of (const VendDepot *depot)
{
  return ((const S3Depot *) depot)->s3;
}

static Name
name_of (const char *sha256)
{
  Name name;
  g_assert (vend_is_sha256_hex (sha256));
  g_snprintf (name.text, sizeof name.text, "%.2s/%s", sha256, sha256);
  return name;
}

static bool
s3_put (VendDepot *depot, const char *path, const char *sha256, VendDepotHow how, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  return vend_s3_upload (s3_of (depot), name_of (sha256).text, fd, (uint64_t) st.st_size, sha256,
                         error);
}

static bool
s3_stat (VendDepot *depot, const char *sha256, VendDepotStat *out, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  const Name name = name_of (sha256);
  const VendS3Request request = { .method = "HEAD", .name = name.text };
  if (!vend_s3_call (s3_of (depot), &request, &answer, error))
    return false;
  *out = (VendDepotStat){ answer.size, answer.changed_us };
  return true;
}

/* ---- Read */

typedef struct
{
  VendDepotSink sink;
  void *data;
  uint64_t got;
  uint64_t size;
} Reading;

static bool
on_piece (const char *bytes, gsize size, void *data)
{
  Reading *reading = data;
  /* A server that does not know ranges sends more. */
  size = (gsize) MIN ((uint64_t) size, reading->size - reading->got);
  reading->got += size;
  return reading->sink (bytes, size, reading->data);
}

/* From `at` to the end of what was asked for; NULL: all of it. */
static char *
range_of (uint64_t at, uint64_t start, uint64_t size)
{
  if (size == UINT64_MAX)
    return at > 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT "-", at) : NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, at, start + size - 1);
}

/* Goes on behind the last byte that came when the connection was lost. */
static bool
s3_read (VendDepot *depot, const char *sha256, uint64_t start, uint64_t size, VendDepotSink sink,
         void *data, GError **error)
{
  const Name name = name_of (sha256);
  Reading reading = { sink, data, 0, size };
  for (guint losses = 0; reading.got < size;)
    {
      g_auto (VendS3Answer) answer = { 0 };
      g_autoptr (GError) problem = NULL;
      const uint64_t before = reading.got;
      g_autofree char *range = range_of (start + reading.got, start, size);
      const VendS3Request request = { .method = "GET",
                                      .name = name.text,
                                      .range = range,
                                      .sink = on_piece,
                                      .data = &reading,
                                      .once = true };
      if (vend_s3_call (s3_of (depot), &request, &answer, &problem))
        return true;
      /* The sink has said why. */
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CANCELED))
        return false;
      losses = reading.got > before ? 1 : losses + 1;
      if (losses >= MAX_LOSSES || reading.got == before)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      g_usleep (LOSS_PAUSE_US);
    }
  return true;
}

static bool
s3_remove (VendDepot *depot, const char *sha256, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autoptr (GError) problem = NULL;
  const Name name = name_of (sha256);
  const VendS3Request request = { .method = "DELETE", .name = name.text };
  if (vend_s3_call (s3_of (depot), &request, &answer, &problem)
      || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* ---- List */

typedef struct
{
  VendDepotVisit visit;
  void *data;
} Listing;

static void
on_object (const char *name, uint64_t size, int64_t changed_us, void *data)
{
  const Listing *listing = data;
  const char *sha256 = strrchr (name, '/');
  const VendDepotStat stat = { size, changed_us };
  if (sha256 != NULL && vend_is_sha256_hex (sha256 + 1)
      && strcmp (name, name_of (sha256 + 1).text) == 0)
    listing->visit (sha256 + 1, &stat, listing->data);
}

static bool
s3_each (VendDepot *depot, VendDepotVisit visit, void *data, GError **error)
{
  Listing listing = { visit, data };
  return vend_s3_list (s3_of (depot), "", on_object, &listing, error);
}

/* ---- Care */

/* A write that nobody else sees, and its removal. */
static bool
try_write (VendS3 *s3, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_auto (VendS3Answer) removed = { 0 };
  g_autofree char *id = vend_id_new ();
  g_autofree char *name = g_strconcat ("probe-", id, NULL);
  g_autofree char *sha256 = vend_sha256_text (PROBE_TEXT);
  const VendS3Request put = { .method = "PUT",
                              .name = name,
                              .body = PROBE_TEXT,
                              .body_size = strlen (PROBE_TEXT),
                              .sha256 = sha256 };
  const VendS3Request remove = { .method = "DELETE", .name = name };
  return vend_s3_call (s3, &put, &answer, error) && vend_s3_call (s3, &remove, &removed, error);
}

static bool
s3_check (VendDepot *depot, bool deep, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  VendS3 *s3 = s3_of (depot);
  g_autofree char *prefix = g_uri_escape_string (vend_s3_prefix (s3), NULL, FALSE);
  g_autofree char *query = g_strconcat ("list-type=2&max-keys=1&prefix=", prefix, NULL);
  const VendS3Request request = { .method = "GET", .query = query, .max_tries = 1 };
  return vend_s3_call (s3, &request, &answer, error) && (!deep || try_write (s3, error));
}

bool
vend_depot_s3_claim (VendDepot *depot, const char *owner, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_auto (VendS3Answer) put = { 0 };
  g_autoptr (GError) problem = NULL;
  VendS3 *s3 = s3_of (depot);
  const VendS3Request read = { .method = "GET", .name = OWNER };
  if (vend_s3_call (s3, &read, &answer, &problem))
    return strcmp (answer.text->str, owner) == 0
           || vend_fail (error, VEND_ERROR_INVALID,
                         "files: %s belongs to another data directory, whose files would be "
                         "removed; name another prefix",
                         vend_s3_shown (s3));
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  g_autofree char *sha256 = vend_sha256_text (owner);
  const VendS3Request write = {
    .method = "PUT", .name = OWNER, .body = owner, .body_size = strlen (owner), .sha256 = sha256
  };
  return vend_s3_call (s3, &write, &put, error);
}

bool
vend_depot_s3_is_empty (VendDepot *depot, bool *out, GError **error)
{
  return vend_s3_is_empty (s3_of (depot), out, error);
}

static bool
s3_tidy (VendDepot *depot, GError **error)
{
  return vend_s3_abort_old (s3_of (depot), vend_now_us () - BROKEN_UPLOAD_US, error);
}

static char *
s3_link (VendDepot *depot, const char *sha256, const char *content_type, guint life_s)
{
  return vend_s3_link (s3_of (depot), name_of (sha256).text, content_type, life_s);
}

static void
s3_free (VendDepot *depot)
{
  vend_s3_free (s3_of (depot));
  g_free (depot);
}

static const VendDepotOps s3_ops = {
  .put = s3_put,
  .stat = s3_stat,
  .read = s3_read,
  .remove = s3_remove,
  .each = s3_each,
  .check = s3_check,
  .tidy = s3_tidy,
  .link = s3_link,
  .free = s3_free,
};

VendDepot *
vend_depot_s3_new (VendS3 *s3)
{
  S3Depot *depot = g_new0 (S3Depot, 1);
  depot->depot.ops = &s3_ops;
  depot->s3 = s3;
  return &depot->depot;
}
