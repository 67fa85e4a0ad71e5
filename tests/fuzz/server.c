/* Whatever comes over a connection, the whole server answers each request with one well-formed
 * reply, ends the connection, and keeps its worker from spinning. The first byte cuts the rest into
 * pieces. */
#include "fuzz.h"
#include "httpd/httpd.h"
#include "../unit/httpd/raw-client.h"
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_INPUT (256 * 1024)
#define MAX_BODY 4096
#define TIMEOUT_MS 200
#define MOST_CPU_US 2000000
#define MOST_MEMORY_KIB (1024 * 1024)
#define STATUS_LINE "HTTP/1.1 "

static VendHttpd *httpd;
static atomic_uint n_observed;

static void
echo (VendCall *call, void *context)
{
  gsize size = 0;
  const char *body = vend_call_body (call, &size);
  fuzz_check_utf8 (vend_call_path (call));
  g_assert_cmpuint (size, <=, MAX_BODY);
  g_assert_cmpint (body[size], ==, '\0');
  g_assert_nonnull (vend_call_origin (call));
  vend_call_reply (call, vend_reply_new (200, "text/plain", "ok", 2));
}

static void
count_observed (const VendRoute *route, int status, int64_t duration_us, void *data)
{
  atomic_fetch_add (&n_observed, 1);
}

static void
start (void)
{
  static const VendRoute routes[]
      = { { "GET", "/v1/{x}", echo },
          { "POST", "/v1/{x}", echo, NULL, VEND_BODY_BUFFER, MAX_BODY } };
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 16,
                                     .head_timeout_ms = TIMEOUT_MS,
                                     .body_timeout_ms = TIMEOUT_MS,
                                     .idle_timeout_s = 5,
                                     .max_body = MAX_BODY,
                                     .spool_dir = "/tmp",
                                     .observe = count_observed };
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &httpd, &error));
  vend_httpd_serve (httpd);
}

/* The end of a head that has a length, or NULL for one without a body. */
static const char *
check_head (const char *head, const char *end, gsize *out_length)
{
  const char *rest = g_strstr_len (head, end - head, "\r\n\r\n");
  g_assert_nonnull (rest);
  g_autofree char *text = g_strndup (head, (gsize) (rest - head));
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  guint lengths = 0;
  *out_length = 0;
  for (guint i = 1; lines[i] != NULL; i++)
    {
      g_assert_nonnull (strchr (lines[i], ':'));
      g_assert_null (strstr (lines[i], STATUS_LINE));
      if (g_ascii_strncasecmp (lines[i], "Content-Length:", 15) == 0)
        {
          *out_length = (gsize) g_ascii_strtoull (lines[i] + 15, NULL, 10);
          lengths++;
        }
    }
  g_assert_cmpuint (lengths, <=, 1);
  return rest + 4;
}

/* The number of replies, without those that say "100 Continue". */
static guint
check_replies (const char *bytes, gsize size, bool with_heads_only)
{
  guint n = 0;
  const char *end = bytes + size;
  for (const char *at = bytes; at < end;)
    {
      gsize length = 0;
      g_assert_true (g_str_has_prefix (at, STATUS_LINE));
      const bool is_final = at[strlen (STATUS_LINE)] != '1';
      at = check_head (at, end, &length);
      n += is_final ? 1 : 0;
      if (with_heads_only && (at == end || g_str_has_prefix (at, STATUS_LINE)))
        continue;
      g_assert_cmpuint (length, <=, (gsize) (end - at));
      at += length;
    }
  return n;
}

static int64_t
cpu_us (void)
{
  struct timespec all, own;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &all);
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &own);
  return (all.tv_sec - own.tv_sec) * G_USEC_PER_SEC + (all.tv_nsec - own.tv_nsec) / 1000;
}

static bool
read_all (int fd, GString *replies)
{
  char piece[4096];
  ssize_t n;
  while ((n = recv (fd, piece, sizeof piece, 0)) > 0)
    g_string_append_len (replies, piece, n);
  return n == 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, MIN (size, MOST_INPUT) };
  if (httpd == NULL)
    start ();
  FuzzPieces pieces = fuzz_pieces_start (fuzz_take_byte (&input));
  const bool with_heads_only = memmem (input.data, input.size, "HEAD", 4) != NULL;
  const guint observed_before = atomic_load (&n_observed);
  const int64_t before_us = cpu_us ();
  g_autoptr (RawClient) client = raw_connect (vend_httpd_port (httpd));
  g_autoptr (GString) replies = g_string_new (NULL);
  for (gsize at = 0; at < input.size;)
    {
      const gsize some = 64 * fuzz_piece (&pieces, input.size - at);
      const gsize piece = MIN (some, input.size - at);
      if (!raw_send (client, input.data + at, (gssize) piece))
        break;
      at += piece;
    }
  shutdown (client->fd, SHUT_WR);
  const bool is_whole = read_all (client->fd, replies);
  while (vend_httpd_connections (httpd) > 0)
    g_usleep (100);
  const guint observed = atomic_load (&n_observed) - observed_before;
  if (is_whole)
    g_assert_cmpuint (check_replies (replies->str, replies->len, with_heads_only), <=,
                      observed + 1);
  g_assert_cmpint (cpu_us () - before_us, <, MOST_CPU_US);
  struct rusage usage;
  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  g_assert_cmpint (usage.ru_maxrss, <, MOST_MEMORY_KIB);
  return 0;
}
