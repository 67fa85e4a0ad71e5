/* Requests to a bucket. libcurl signs them. What its version 7.88 does wrong is avoided here: it
 * signs the query as it stands, so that must be sorted, escaped and have a '=' after each name; it
 * signs headers without a value, which it does not send; and it does not hash what is sent. */
#include "files/s3-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "files/s3-text.h"
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DEFAULT_REGION "us-east-1"
#define MAX_IDLE 16
#define MAX_TRIES 5
#define FIRST_PAUSE_US (100 * VEND_US_PER_MS) /* doubled by each try */
#define AWAY_US (1 * VEND_US_PER_S)
#define CONNECT_TIMEOUT_S 5L
#define SILENCE_S 20L
#define MIN_SPEED 1024L
#define MAX_TEXT ((gsize) 8 << 20) /* of answers that are kept; a list has 1,000 names */

/* ---- Options */

static bool
is_plain (const char *text, const char *more)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr (more, *text) == NULL)
      return false;
  return true;
}

static bool
read_place (VendS3 *s3, const char *place, char **out_bucket, GError **error)
{
  const char *rest = g_str_has_prefix (place, "s3://") ? place + strlen ("s3://") : "";
  g_autofree char *bucket = g_strndup (rest, strcspn (rest, "/"));
  g_autofree char *prefix = g_strdup (rest + strlen (bucket));
  while (g_str_has_suffix (prefix, "/"))
    prefix[strlen (prefix) - 1] = '\0';
  const char *inside = prefix + strspn (prefix, "/");
  if (*bucket == '\0' || !is_plain (bucket, "-._") || !is_plain (inside, "-._/")
      || strstr (inside, "//") != NULL || strstr (inside, "..") != NULL)
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "files: '%.200s' is not s3://bucket or s3://bucket/prefix, of letters, digits "
        "and -._",
        place);
  s3->prefix = *inside != '\0' ? g_strconcat (inside, "/", NULL) : g_strdup ("");
  *out_bucket = g_steal_pointer (&bucket);
  return true;
}

static bool
read_endpoint (VendS3 *s3, const char *endpoint, const char *bucket, GError **error)
{
  g_autofree char *aws = g_strdup_printf ("https://s3.%s.amazonaws.com", s3->region);
  const char *given = endpoint != NULL && *endpoint != '\0' ? endpoint : aws;
  const char *host = strstr (given, "://");
  host = host != NULL ? host + 3 : "";
  g_autofree char *authority = g_strndup (host, strcspn (host, "/"));
  const char *rest = host + strlen (authority);
  if ((!g_str_has_prefix (given, "http://") && !g_str_has_prefix (given, "https://"))
      || *authority == '\0' || !is_plain (authority, "-.:[]")
      || strcmp (rest, rest[0] == '/' ? "/" : "") != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "files-endpoint: expected http(s)://host or http(s)://host:port, without a "
                      "path, user or password");
  s3->host = g_steal_pointer (&authority);
  s3->path = g_strconcat ("/", bucket, NULL);
  s3->base = g_strdup_printf ("%.*s%s%s", (int) (host - given), given, s3->host, s3->path);
  s3->place = g_strdup_printf ("s3://%s/%s", bucket, s3->prefix);
  s3->place[strlen (s3->place) - 1] = '\0'; /* its last slash */
  s3->shown = g_strdup_printf ("%s at %.*s%s", s3->place, (int) (host - given), given, s3->host);
  return true;
}

bool
vend_s3_new (const VendS3Options *options, VendS3 **out, GError **error)
{
  g_autoptr (VendS3) s3 = g_new0 (VendS3, 1);
  g_autofree char *bucket = NULL;
  pthread_mutex_init (&s3->lock, NULL);
  s3->region = g_strdup (options->region != NULL ? options->region : DEFAULT_REGION);
  s3->key_id = g_strdup (options->key_id);
  s3->secret = g_strdup (options->secret);
  s3->session = g_strdup (options->session);
  if (!read_place (s3, options->place, &bucket, error)
      || !read_endpoint (s3, options->endpoint, bucket, error))
    return false;
  if (!is_plain (s3->region, "-"))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "AWS_REGION: expected a name such as eu-central-1");
  if (s3->key_id == NULL || *s3->key_id == '\0' || s3->secret == NULL || *s3->secret == '\0')
    return vend_fail (error, VEND_ERROR_INVALID,
                      "files: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  *out = g_steal_pointer (&s3);
  return true;
}

static void
wipe (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

void
vend_s3_free (VendS3 *s3)
{
  if (s3 == NULL)
    return;
  for (CURL *easy; (easy = g_queue_pop_head (&s3->idle)) != NULL;)
    curl_easy_cleanup (easy);
  pthread_mutex_destroy (&s3->lock);
  g_free (s3->base);
  g_free (s3->host);
  g_free (s3->path);
  g_free (s3->prefix);
  g_free (s3->region);
  g_free (s3->key_id);
  wipe (s3->secret);
  wipe (s3->session);
  g_free (s3->place);
  g_free (s3->shown);
  g_free (s3);
}

const char *
vend_s3_shown (const VendS3 *s3)
{
  return s3->shown;
}

const char *
vend_s3_place (const VendS3 *s3)
{
  return s3->place;
}

const char *
vend_s3_prefix (const VendS3 *s3)
{
  return s3->prefix;
}

void
vend_s3_answer_clear (VendS3Answer *answer)
{
  g_clear_pointer (&answer->etag, g_free);
  if (answer->text != NULL)
    g_string_free (g_steal_pointer (&answer->text), TRUE);
}

/* ---- One try */

typedef struct
{
  const VendS3Request *request;
  VendS3Answer *answer;
  CURL *easy;
  uint64_t sent;
  bool has_come; /* a piece went to the sink */
  bool is_ended; /* by the sink */
} Try;

static size_t
on_need (char *room, size_t size, size_t n, void *data)
{
  Try *try = data;
  const VendS3Request *request = try->request;
  const size_t most = (size_t) MIN ((uint64_t) (size * n), request->size - try->sent);
  if (most == 0)
    return 0;
  for (;;)
    {
      const ssize_t got = pread (request->fd, room, most, (off_t) (request->start + try->sent));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return CURL_READFUNC_ABORT;
      try->sent += (uint64_t) got;
      return (size_t) got;
    }
}

static int
on_rewind (void *data, curl_off_t offset, int origin)
{
  Try *try = data;
  if (origin != SEEK_SET)
    return CURL_SEEKFUNC_FAIL;
  try->sent = (uint64_t) offset;
  return CURL_SEEKFUNC_OK;
}

static bool
is_good (long status)
{
  return status >= 200 && status < 300;
}

static size_t
on_bytes (char *bytes, size_t size, size_t n, void *data)
{
  Try *try = data;
  long status = 0;
  curl_easy_getinfo (try->easy, CURLINFO_RESPONSE_CODE, &status);
  if (try->request->sink != NULL && is_good (status))
    {
      try->has_come = true;
      try->is_ended = !try->request->sink (bytes, size * n, try->request->data);
      return try->is_ended ? CURL_WRITEFUNC_ERROR : size * n;
    }
  if (try->answer->text->len + size * n > MAX_TEXT)
    return CURL_WRITEFUNC_ERROR;
  g_string_append_len (try->answer->text, bytes, (gssize) (size * n));
  return size * n;
}

static size_t
on_header (char *line, size_t size, size_t n, void *data)
{
  Try *try = data;
  if (size * n > 5 && g_ascii_strncasecmp (line, "etag:", 5) == 0)
    {
      g_free (try->answer->etag);
      try->answer->etag = g_strstrip (g_strndup (line + 5, size * n - 5));
    }
  return size * n;
}

static void
set_body (CURL *easy, Try *try)
{
  const VendS3Request *request = try->request;
  if (request->body != NULL)
    {
      curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_size);
      curl_easy_setopt (easy, CURLOPT_POSTFIELDS, request->body);
    }
  else if (strcmp (request->method, "PUT") == 0)
    {
      curl_easy_setopt (easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt (easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) request->size);
      curl_easy_setopt (easy, CURLOPT_READFUNCTION, on_need);
      curl_easy_setopt (easy, CURLOPT_READDATA, try);
      curl_easy_setopt (easy, CURLOPT_SEEKFUNCTION, on_rewind);
      curl_easy_setopt (easy, CURLOPT_SEEKDATA, try);
    }
  else if (strcmp (request->method, "POST") == 0)
    {
      curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) 0);
      curl_easy_setopt (easy, CURLOPT_POSTFIELDS, "");
    }
  else if (strcmp (request->method, "HEAD") == 0)
    curl_easy_setopt (easy, CURLOPT_NOBODY, 1L);
}

static struct curl_slist *
make_headers (const VendS3 *s3, const VendS3Request *request)
{
  g_autofree char *sha256 = g_strconcat (
      "x-amz-content-sha256: ", request->sha256 != NULL ? request->sha256 : EMPTY_SHA256, NULL);
  struct curl_slist *headers = curl_slist_append (NULL, sha256);
  if (s3->session != NULL)
    {
      g_autofree char *session = g_strconcat ("x-amz-security-token: ", s3->session, NULL);
      headers = curl_slist_append (headers, session);
    }
  if (strcmp (request->method, "POST") == 0)
    headers = curl_slist_append (headers, "Content-Type: application/xml");
  return headers;
}

static char *
make_url (const VendS3 *s3, const VendS3Request *request)
{
  return g_strconcat (s3->base, request->name != NULL ? "/" : "",
                      request->name != NULL ? s3->prefix : "",
                      request->name != NULL ? request->name : "", request->query != NULL ? "?" : "",
                      request->query != NULL ? request->query : "", NULL);
}

static CURL *
get_easy (VendS3 *s3)
{
  pthread_mutex_lock (&s3->lock);
  CURL *easy = g_queue_pop_tail (&s3->idle);
  pthread_mutex_unlock (&s3->lock);
  if (easy == NULL)
    easy = curl_easy_init ();
  if (easy == NULL)
    g_error ("out of memory for a request");
  return easy;
}

static void
put_easy (VendS3 *s3, CURL *easy)
{
  curl_easy_reset (easy);
  pthread_mutex_lock (&s3->lock);
  const bool is_kept = s3->idle.length < MAX_IDLE;
  if (is_kept)
    g_queue_push_tail (&s3->idle, easy);
  pthread_mutex_unlock (&s3->lock);
  if (!is_kept)
    curl_easy_cleanup (easy);
}

static CURLcode
perform (const VendS3 *s3, Try *try, char problem[CURL_ERROR_SIZE])
{
  CURL *easy = try->easy;
  VendS3Answer *answer = try->answer;
  g_autofree char *url = make_url (s3, try->request);
  g_autofree char *signing = g_strdup_printf ("aws:amz:%s:s3", s3->region);
  struct curl_slist *headers = make_headers (s3, try->request);
  curl_off_t size = -1, changed_s = -1;
  vend_s3_answer_clear (answer);
  *answer = (VendS3Answer){ .text = g_string_new (NULL) };
  curl_easy_setopt (easy, CURLOPT_URL, url);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT, MIN_SPEED);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt (easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt (easy, CURLOPT_AWS_SIGV4, signing);
  curl_easy_setopt (easy, CURLOPT_USERNAME, s3->key_id);
  curl_easy_setopt (easy, CURLOPT_PASSWORD, s3->secret);
  curl_easy_setopt (easy, CURLOPT_FILETIME, 1L);
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, try);
  curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt (easy, CURLOPT_HEADERDATA, try);
  set_body (easy, try);
  curl_easy_setopt (easy, CURLOPT_CUSTOMREQUEST,
                    strcmp (try->request->method, "HEAD") != 0 ? try->request->method : NULL);
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, headers);
  if (try->request->range != NULL)
    curl_easy_setopt (easy, CURLOPT_RANGE, try->request->range);
  const CURLcode result = curl_easy_perform (easy);
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &answer->status);
  curl_easy_getinfo (easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  curl_easy_getinfo (easy, CURLINFO_FILETIME_T, &changed_s);
  answer->size = size >= 0 ? (uint64_t) size : 0;
  answer->changed_us = changed_s >= 0 ? (int64_t) changed_s * VEND_US_PER_S : 0;
  curl_slist_free_all (headers);
  return result;
}

/* ---- Tries */

static bool
asks_for_more (const VendS3Answer *answer)
{
  return answer->status >= 500 || answer->status == 429 || answer->status == 408
         || (answer->status == 400 && strstr (answer->text->str, "<Code>RequestTimeout<") != NULL);
}

/* The bytes are not those that were announced: another try has the same. */
static bool
is_mismatch (const char *code)
{
  static const char *const codes[]
      = { "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", NULL };
  return code != NULL && g_strv_contains (codes, code);
}

static bool
fail_answer (const VendS3 *s3, const VendS3Request *request, const VendS3Answer *answer,
             GError **error)
{
  g_autofree char *code = vend_s3_text_of (answer->text->str, "Code");
  g_autofree char *message = vend_s3_text_of (answer->text->str, "Message");
  const bool is_missing
      = answer->status == 404 && request->name != NULL && g_strcmp0 (code, "NoSuchBucket") != 0;
  const VendError kind = is_missing           ? VEND_ERROR_NOT_FOUND
                         : is_mismatch (code) ? VEND_ERROR_STORAGE
                                              : VEND_ERROR_UNAVAILABLE;
  return vend_fail (error, kind, "%s %s%s: the server of %s answered %ld%s%s%s%.300s",
                    request->method, s3->prefix, request->name != NULL ? request->name : "",
                    s3->shown, answer->status, code != NULL ? " " : "", code != NULL ? code : "",
                    message != NULL ? ": " : "", message != NULL ? message : "");
}

/* After a call that got no answer the next ones fail at once for a moment, so that threads do not
 * wait one after the other for a server that is away. */
static bool
check_way (VendS3 *s3, GError **error)
{
  pthread_mutex_lock (&s3->lock);
  const bool is_away = g_get_monotonic_time () < s3->away_until_us;
  pthread_mutex_unlock (&s3->lock);
  return !is_away
         || vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s did not answer a moment ago", s3->shown);
}

static void
note_way (VendS3 *s3)
{
  pthread_mutex_lock (&s3->lock);
  s3->away_until_us = g_get_monotonic_time () + AWAY_US;
  pthread_mutex_unlock (&s3->lock);
}

bool
vend_s3_call (VendS3 *s3, const VendS3Request *request, VendS3Answer *out, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  if (!check_way (s3, error))
    return false;
  const guint max_tries = request->max_tries > 0 ? request->max_tries : MAX_TRIES;
  for (guint n = 1;; n++)
    {
      char problem[CURL_ERROR_SIZE] = "";
      Try try = { .request = request, .answer = &answer, .easy = get_easy (s3) };
      const CURLcode result = perform (s3, &try, problem);
      put_easy (s3, try.easy);
      const bool may_again = n < max_tries && !(request->once && try.has_come);
      if (try.is_ended)
        return vend_fail (error, VEND_ERROR_CANCELED, "the reader of a content ended it");
      if (result == CURLE_OK && is_good (answer.status))
        break;
      if (may_again && (result != CURLE_OK || asks_for_more (&answer)))
        {
          g_usleep ((gulong) (FIRST_PAUSE_US << (n - 1)) + (gulong) g_random_int_range (0, 50000));
          continue;
        }
      if (result != CURLE_OK && !try.has_come)
        note_way (s3);
      if (result == CURLE_OK)
        return fail_answer (s3, request, &answer, error);
      return vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s %s%s: %s: %s", request->method,
                        s3->prefix, request->name != NULL ? request->name : "", s3->shown,
                        *problem != '\0' ? problem : curl_easy_strerror (result));
    }
  *out = answer;
  answer = (VendS3Answer){ 0 };
  return true;
}
