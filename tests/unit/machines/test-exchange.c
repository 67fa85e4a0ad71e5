/* TLS connections with certificates on both sides: who is believed, frames, files and folders. */
#include "machines/exchange.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "httpd/listen.h"
#include "httpd/tls-auto.h"
#include "httpd/tls-client.h"
#include "machines/transfer.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PATIENCE_MS 5000

typedef struct
{
  char *dir;
  char *authority;
  VendTlsIdentity *server;
  VendTlsIdentity *client;
  int listener;
  guint port;
} World;

static VendTlsIdentity *
client_of (const char *dir, const char *authority, const char *name)
{
  VendTlsIdentity *identity = NULL;
  g_autofree char *certificate = NULL, *key = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tls_client_new (dir, name, 1, &certificate, &key, &error));
  g_assert_true (vend_tls_identity_new (authority, certificate, key, &identity, &error));
  return identity;
}

static VendTlsIdentity *
server_of (const char *dir, char **out_authority)
{
  VendTlsIdentity *identity = NULL;
  const char *const hosts[] = { NULL };
  g_autofree char *certificate = NULL, *key = NULL, *path = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tls_auto (dir, hosts, &certificate, &key, &path, &error));
  g_assert_true (vend_file_read (path, 65536, out_authority, NULL, &error));
  g_assert_true (vend_tls_identity_new (*out_authority, certificate, key, &identity, &error));
  return identity;
}

static void
set_up (World *world, const void *unused)
{
  g_autoptr (GError) error = NULL;
  world->dir = g_dir_make_tmp ("vend-exchange-XXXXXX", NULL);
  g_autofree char *own = g_build_filename (world->dir, "own", NULL);
  world->server = server_of (own, &world->authority);
  world->client = client_of (own, world->authority, "machine/box");
  g_assert_true (vend_listen_open ("127.0.0.1:0", "directors", &world->listener, &error));
  g_assert_true (vend_listen_port (world->listener, &world->port, &error));
}

static void
tear_down (World *world, const void *unused)
{
  vend_tls_identity_unref (world->server);
  vend_tls_identity_unref (world->client);
  vend_fd_clear (&world->listener);
  g_assert_true (vend_tree_remove (world->dir, NULL));
  g_free (world->authority);
  g_free (world->dir);
}

/* ---- The other side */

typedef void (*Serve) (VendTlsStream *stream, const World *world);

typedef struct
{
  const World *world;
  VendTlsIdentity *identity;
  Serve serve; /* NULL: the connection is to fail */
} Side;

static void *
run_side (void *data)
{
  const Side *side = data;
  g_autoptr (VendTlsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  int fd;
  do
    fd = accept (side->world->listener, NULL, NULL);
  while (fd < 0);
  const bool good = vend_tls_stream_accept (side->identity, fd, PATIENCE_MS, &stream, &error);
  if (side->serve != NULL)
    {
      g_assert_no_error (error);
      side->serve (stream, side->world);
    }
  else
    /* A client that has refused the server may be let in for a moment. */
    g_assert_true (!good || !vend_exchange_receive (stream, 1024, &(json_t *){ NULL }, NULL));
  return NULL;
}

static bool
dial (const World *world, VendTlsIdentity *identity, VendTlsStream **out, GError **error)
{
  return vend_tls_stream_dial (identity, "127.0.0.1", world->port, PATIENCE_MS, out, error);
}

/* ---- Who is believed */

static void
welcome (VendTlsStream *stream, const World *world)
{
  json_auto_t *hello = NULL;
  json_auto_t *answer
      = json_pack ("{s:b, s:s}", "welcome", 1, "peer", vend_tls_stream_peer (stream));
  g_assert_true (vend_exchange_receive (stream, 1024, &hello, NULL));
  g_assert_cmpint (vend_json_int (hello, "protocol", 0), ==, VEND_EXCHANGE_PROTOCOL);
  g_assert_cmpstr (vend_json_string (hello, "hello"), ==, "agent");
  g_assert_true (vend_exchange_send (stream, answer, NULL));
}

static void
test_welcome (World *world, const void *unused)
{
  Side side = { world, world->server, welcome };
  GThread *thread = g_thread_new ("server", run_side, &side);
  const VendDialer dialer = { world->client, (char *) "127.0.0.1", world->port };
  g_autoptr (VendTlsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  json_auto_t *answer = NULL;
  g_assert_true (vend_dialer_open (&dialer, "agent", json_object (), &stream, &answer, &error));
  const char *peer = vend_json_string (answer, "peer");
  g_assert_cmpstr (vend_exchange_peer_id (peer, VEND_PEER_MACHINE), ==, "box");
  g_assert_null (vend_exchange_peer_id (peer, VEND_PEER_INSTANCE));
  g_thread_join (thread);
}

static void
refuse (VendTlsStream *stream, const World *world)
{
  json_auto_t *hello = NULL;
  json_auto_t *answer = json_pack ("{s:s, s:b}", "refused", "not you", "for_good", 1);
  g_assert_true (vend_exchange_receive (stream, 1024, &hello, NULL));
  g_assert_true (vend_exchange_send (stream, answer, NULL));
}

static void
test_refused (World *world, const void *unused)
{
  Side side = { world, world->server, refuse };
  GThread *thread = g_thread_new ("server", run_side, &side);
  const VendDialer dialer = { world->client, (char *) "127.0.0.1", world->port };
  g_autoptr (VendTlsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_dialer_open (&dialer, "agent", json_object (), &stream, NULL, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_assert_cmpstr (error->message, ==, "not you");
  g_thread_join (thread);
}

/* Neither a machine that plays the control plane, nor the server of another authority, nor a client
 * of one. */
static void
check_strangers (World *world, VendTlsIdentity *server, VendTlsIdentity *client)
{
  Side side = { world, server, NULL };
  GThread *thread = g_thread_new ("server", run_side, &side);
  {
    g_autoptr (VendTlsStream) stream = NULL;
    g_autoptr (GError) error = NULL;
    json_auto_t *answer = NULL;
    const bool good = dial (world, client, &stream, &error)
                      && vend_exchange_receive (stream, 1024, &answer, &error);
    g_assert_false (good);
    g_assert_error (error, VEND_ERROR, VEND_ERROR_UNAVAILABLE);
  }
  g_thread_join (thread);
}

static void
test_strangers (World *world, const void *unused)
{
  g_autofree char *other = g_build_filename (world->dir, "other", NULL);
  g_autofree char *authority = NULL;
  g_autoptr (VendTlsIdentity) server = server_of (other, &authority);
  g_autoptr (VendTlsIdentity) client = client_of (other, authority, "machine/box");
  check_strangers (world, world->client, world->client);
  check_strangers (world, server, world->client);
  check_strangers (world, world->server, client);
}

/* ---- Contents */

#define CONTENT_SIZE 300000

static char *
make_content (void)
{
  char *content = g_malloc (CONTENT_SIZE);
  for (gsize i = 0; i < CONTENT_SIZE; i++)
    content[i] = (char) (i * 7 + i / 251);
  return content;
}

static void
send_folder (VendTlsStream *stream, const World *world)
{
  g_autofree char *dir = g_build_filename (world->dir, "from", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_transfer_send_tree (stream, dir, &error));
}

static void
test_folder (World *world, const void *unused)
{
  g_autofree char *content = make_content ();
  g_autofree char *from = g_build_filename (world->dir, "from", NULL);
  g_autofree char *inner = g_build_filename (from, "inner", NULL);
  g_autofree char *file = g_build_filename (inner, "file", NULL);
  g_autofree char *link = g_build_filename (from, "link", NULL);
  g_autofree char *to = g_build_filename (world->dir, "to", NULL);
  g_autofree char *copy = g_build_filename (to, "inner", "file", NULL);
  g_autofree char *copied_link = g_build_filename (to, "link", NULL);
  g_assert_true (vend_dir_ensure (inner, NULL));
  g_assert_true (vend_file_replace (file, content, CONTENT_SIZE, 0750, NULL));
  g_assert_cmpint (chmod (file, 0750), ==, 0);
  const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1234567, .tv_nsec = 89 } };
  g_assert_cmpint (utimensat (AT_FDCWD, file, times, 0), ==, 0);
  g_assert_cmpint (symlink ("inner/file", link), ==, 0);

  Side side = { world, world->server, send_folder };
  GThread *thread = g_thread_new ("server", run_side, &side);
  g_autoptr (VendTlsStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (dial (world, world->client, &stream, &error));
  g_assert_true (vend_transfer_receive_tree (stream, to, &error));
  g_thread_join (thread);
  g_autofree char *here = NULL, *there = NULL, *target = g_file_read_link (copied_link, NULL);
  struct stat st;
  g_assert_true (vend_sha256_file (file, &here, NULL) && vend_sha256_file (copy, &there, NULL));
  g_assert_cmpstr (here, ==, there);
  g_assert_cmpstr (target, ==, "inner/file");
  g_assert_cmpint (stat (copy, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0750);
  g_assert_cmpint (st.st_mtim.tv_sec, ==, 1234567);
  g_assert_cmpint (st.st_mtim.tv_nsec, ==, 89);
}

/* What a peer may not make of a folder. */
static const char *const bad_entries[] = {
  "{\"type\":\"link\",\"path\":\"../x\",\"target\":\"y\"}",
  "{\"type\":\"folder\",\"path\":\"/tmp/x\"}",
  "{\"type\":\"folder\",\"path\":\"a//b\"}",
  "{\"type\":\"folder\",\"path\":\"\"}",
  "{\"type\":\"file\",\"path\":\"missing/file\",\"size\":0}",
  "{\"type\":\"device\",\"path\":\"x\"}",
  "{\"type\":\"end\",\"sha256\":\"wrong\"}",
};
static const char *bad_entry;

static void
send_entries (VendTlsStream *stream, const World *world)
{
  json_auto_t *link
      = json_pack ("{s:s, s:s, s:s}", "type", "link", "path", "way", "target", "/tmp");
  json_auto_t *entry = NULL;
  g_assert_true (vend_json_parse (bad_entry, strlen (bad_entry), &entry, NULL));
  (void) !vend_exchange_send (stream, link, NULL);
  (void) !vend_exchange_send (stream, entry, NULL);
}

static void
test_bad_folders (World *world, const void *unused)
{
  g_autofree char *to = g_build_filename (world->dir, "to", NULL);
  for (gsize i = 0; i <= G_N_ELEMENTS (bad_entries); i++)
    {
      g_autoptr (VendTlsStream) stream = NULL;
      g_autoptr (GError) error = NULL;
      /* The last one goes through a link that has come before. */
      bad_entry = i < G_N_ELEMENTS (bad_entries)
                      ? bad_entries[i]
                      : "{\"type\":\"file\",\"path\":\"way/vend-test-outside\",\"size\":0}";
      Side side = { world, world->server, send_entries };
      GThread *thread = g_thread_new ("server", run_side, &side);
      g_assert_true (dial (world, world->client, &stream, &error));
      g_assert_false (vend_transfer_receive_tree (stream, to, &error));
      g_assert_nonnull (error);
      g_thread_join (thread);
      g_assert_true (vend_tree_remove (to, NULL));
    }
}

/* ---- Output files */

static void
take_outputs (VendTlsStream *stream, const World *world)
{
  g_autofree char *folder = g_build_filename (world->dir, "outputs", NULL);
  json_auto_t *hello = NULL;
  g_assert_true (vend_exchange_receive (stream, 4096, &hello, NULL));
  (void) !vend_transfer_take_output (stream, hello, folder, CONTENT_SIZE, NULL);
}

static json_t *
frame_of (const char *path, gsize size, const char *sha256)
{
  return json_pack ("{s:s, s:[{s:{s:s, s:I, s:s}}]}", "event", "completed", "output", "$vend.file",
                    "path", path, "size", (json_int_t) size, "sha256", sha256);
}

static const char *
path_in (const json_t *frame)
{
  const json_t *file
      = json_object_get (json_array_get (json_object_get (frame, "output"), 0), "$vend.file");
  return vend_json_string (file, "path");
}

static bool
bring (World *world, json_t *frame, GError **error)
{
  const VendDialer dialer = { world->client, (char *) "127.0.0.1", world->port };
  Side side = { world, world->server, take_outputs };
  GThread *thread = g_thread_new ("server", run_side, &side);
  const bool good = vend_transfer_bring_outputs (&dialer, "i", frame, NULL, NULL, NULL, error);
  g_thread_join (thread);
  return good;
}

static void
test_outputs (World *world, const void *unused)
{
  g_autofree char *content = make_content ();
  g_autofree char *path = g_build_filename (world->dir, "made.bin", NULL);
  g_autofree char *there = g_build_filename (world->dir, "outputs", "made.bin", NULL);
  g_autofree char *sha256 = vend_sha256_hex (content, CONTENT_SIZE);
  g_autofree char *wrong = g_strnfill (64, 'a');
  g_autofree char *taken = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_file_replace (path, content, CONTENT_SIZE, 0600, NULL));

  /* One that is not what it is said to be arrives nowhere, and is tried again. */
  json_auto_t *lie = frame_of (path, CONTENT_SIZE, wrong);
  g_assert_false (bring (world, lie, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_UNAVAILABLE);
  g_assert_false (g_file_test (there, G_FILE_TEST_EXISTS));
  g_clear_error (&error);

  /* One that is too long keeps its path. */
  json_auto_t *longer = frame_of (path, CONTENT_SIZE + 1, sha256);
  g_assert_true (bring (world, longer, &error));
  g_assert_cmpstr (path_in (longer), ==, path);

  json_auto_t *frame = frame_of (path, CONTENT_SIZE, sha256);
  g_assert_true (bring (world, frame, &error));
  g_assert_cmpstr (path_in (frame), ==, there);
  g_assert_true (vend_sha256_file (there, &taken, NULL));
  g_assert_cmpstr (taken, ==, sha256);

  /* A repeat finds it there. */
  json_auto_t *again = frame_of (path, CONTENT_SIZE, sha256);
  g_assert_true (bring (world, again, &error));
  g_assert_cmpstr (path_in (again), ==, there);
}

#define ADD(name, test) g_test_add ("/exchange/" name, World, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("welcome", test_welcome);
  ADD ("refused", test_refused);
  ADD ("strangers", test_strangers);
  ADD ("folder", test_folder);
  ADD ("bad-folders", test_bad_folders);
  ADD ("outputs", test_outputs);
  return g_test_run ();
}
