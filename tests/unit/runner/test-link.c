/* Frames and links: pieces, limits, slow readers, freeing inside events, long paths. */
#include "runner/link.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/frame.h"
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>

/* ---- Which thread parses: objects that it made */

static GThread *main_thread;
static gint made_elsewhere;

/* In place of the one of jansson, for this program. */
json_t *
json_object (void)
{
  static json_t *(*next) (void);
  if (next == NULL)
    next = (json_t * (*) (void) ) dlsym (RTLD_NEXT, "json_object");
  if (g_thread_self () != main_thread)
    g_atomic_int_inc (&made_elsewhere);
  return next ();
}

static void
test_frames_in_pieces (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *fill = g_strnfill (2000, 'x');
  for (int i = 0; i < 3; i++)
    {
      json_auto_t *frame = json_pack ("{sisss[]}", "n", i, "fill", i == 1 ? fill : "", "list");
      g_assert_true (vend_frame_append (bytes, frame, 10000, NULL));
    }
  for (gsize step = 1; step < bytes->len; step += 7)
    {
      g_autoptr (VendFrameReader) reader = vend_frame_reader_new (10000);
      int seen = 0;
      for (gsize at = 0; at < bytes->len; at += step)
        {
          vend_frame_reader_feed (reader, bytes->data + at, MIN (step, bytes->len - at));
          for (;;)
            {
              json_auto_t *frame = NULL;
              GBytes *text = NULL;
              g_assert_true (vend_frame_reader_take (reader, &frame, &text, NULL));
              g_assert_null (text);
              if (frame == NULL)
                break;
              g_assert_cmpint (vend_json_int (frame, "n", -1), ==, seen++);
            }
        }
      g_assert_cmpint (seen, ==, 3);
    }
}

static void
test_bad_frames (void)
{
  static const struct
  {
    const char *bytes;
    gsize size;
    int code;
  } bad[] = {
    { "\xff\xff\xff\xff", 4, VEND_ERROR_TOO_LARGE }, { "\0\0\0\x65", 4, VEND_ERROR_TOO_LARGE },
    { "\0\0\0\x02[]", 6, VEND_ERROR_BAD_REQUEST },   { "\0\0\0\x01{", 5, VEND_ERROR_BAD_REQUEST },
    { "\0\0\0\0", 4, VEND_ERROR_BAD_REQUEST },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendFrameReader) reader = vend_frame_reader_new (100);
      g_autoptr (GError) error = NULL;
      json_auto_t *frame = NULL;
      GBytes *text = NULL;
      vend_frame_reader_feed (reader, bad[i].bytes, bad[i].size);
      g_assert_false (vend_frame_reader_take (reader, &frame, &text, &error));
      g_assert_error (error, VEND_ERROR, bad[i].code);
    }
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  json_auto_t *frame = json_pack ("{ss}", "a", "bcdefgh");
  g_assert_false (vend_frame_append (out, frame, 5, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_assert_cmpuint (out->len, ==, 0);
}

typedef struct
{
  VendLink *link;
  guint frames;
  guint closed;
  bool free_on_frame;
  GArray *order; /* of int: "n" of each frame; or NULL */
  bool had_error;
} Side;

static void
on_frame (VendLink *link, json_t *frame, void *context)
{
  Side *side = context;
  side->frames++;
  const int n = (int) vend_json_int (frame, "n", -1);
  if (side->order != NULL)
    g_array_append_val (side->order, n);
  if (side->free_on_frame)
    g_clear_pointer (&side->link, vend_link_free);
}

static void
on_closed (VendLink *link, const GError *error, void *context)
{
  Side *side = context;
  side->closed++;
  side->had_error = error != NULL;
  g_clear_pointer (&side->link, vend_link_free);
}

static const VendLinkEvents events = { on_frame, on_closed };

static void
make_pair (Side *a, Side *b, gsize limit)
{
  int fds[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  a->link = vend_link_adopt (g_main_context_default (), fds[0], limit, &events, a);
  b->link = vend_link_adopt (g_main_context_default (), fds[1], limit, &events, b);
}

static void
test_exchange (void)
{
  Side a = { 0 };
  Side b = { 0 };
  make_pair (&a, &b, 1 << 20);
  g_autofree char *fill = g_strnfill (900000, 'x');
  for (int i = 0; i < 2; i++)
    g_assert_true (vend_link_send (a.link, json_pack ("{ss}", "fill", fill)));
  g_assert_false (vend_link_is_flushed (a.link));
  while (b.frames < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (vend_link_is_flushed (a.link));
  g_clear_pointer (&a.link, vend_link_free);
  while (b.closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (b.had_error);
  g_assert_cmpuint (a.closed, ==, 0);
}

static json_t *
large_frame (int n)
{
  g_autofree char *fill = g_strnfill (VEND_FRAME_LARGE, 'x');
  return json_pack ("{sissso}", "n", n, "fill", fill, "list", json_array ());
}

/* Small ones do not overtake a large one that is parsed elsewhere. */
static void
test_large_frames (void)
{
  Side a = { 0 };
  Side b = { .order = g_array_new (FALSE, FALSE, sizeof (int)) };
  make_pair (&a, &b, 8 << 20);
  const int before = g_atomic_int_get (&made_elsewhere);
  for (int i = 0; i < 9; i++)
    g_assert_true (
        vend_link_send (a.link, i % 3 == 1 ? large_frame (i) : json_pack ("{si}", "n", i)));
  while (b.frames < 9)
    g_main_context_iteration (NULL, TRUE);
  for (int i = 0; i < 9; i++)
    g_assert_cmpint (g_array_index (b.order, int, i), ==, i);
  g_assert_cmpint (g_atomic_int_get (&made_elsewhere) - before, ==, 3);
  /* What it reads next comes as well, and the end of the other side. */
  g_assert_true (vend_link_send (a.link, large_frame (9)));
  while (!vend_link_is_flushed (a.link))
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&a.link, vend_link_free);
  while (b.closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (b.frames, ==, 10);
  g_assert_false (b.had_error);
  g_array_unref (b.order);
}

static void
test_large_and_bad (void)
{
  Side b = { 0 };
  int fds[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  vend_autofd writer = fds[0];
  b.link = vend_link_adopt (g_main_context_default (), fds[1], 8 << 20, &events, &b);
  g_autofree char *bytes = g_strnfill (VEND_FRAME_LARGE + 100, '[');
  const guint32 length = GUINT32_TO_BE ((guint32) VEND_FRAME_LARGE + 96);
  memcpy (bytes, &length, sizeof length);
  for (gsize at = 0; at < VEND_FRAME_LARGE + 100;)
    {
      ssize_t n = send (writer, bytes + at, VEND_FRAME_LARGE + 100 - at, MSG_DONTWAIT);
      at += n > 0 ? (gsize) n : 0;
      g_main_context_iteration (NULL, FALSE);
    }
  while (b.closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (b.had_error);
  g_assert_cmpuint (b.frames, ==, 0);
}

/* A link may go while its frame is parsed; the last one is told of the other. */
static void
test_large_and_freed (void)
{
  Side a = { 0 };
  Side b = { .free_on_frame = true };
  make_pair (&a, &b, 8 << 20);
  g_assert_true (vend_link_send (a.link, large_frame (0)));
  while (!vend_link_is_flushed (a.link))
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&b.link, vend_link_free);
  while (a.closed == 0)
    g_main_context_iteration (NULL, TRUE);

  make_pair (&a, &b, 8 << 20);
  g_assert_true (vend_link_send (a.link, large_frame (0)));
  while (b.link != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&a.link, vend_link_free);
}

/* What may wait goes out with what may not, in order, or by itself, or with the end. */
static void
test_send_later (void)
{
  Side a = { 0 };
  Side b = { 0 };
  make_pair (&a, &b, 1000);
  g_assert_true (vend_link_send_later (a.link, json_pack ("{ss}", "n", "first")));
  g_assert_false (vend_link_is_flushed (a.link));
  g_assert_true (vend_link_send (a.link, json_pack ("{ss}", "n", "second")));
  while (b.frames < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (vend_link_is_flushed (a.link));

  g_assert_true (vend_link_send_later (a.link, json_pack ("{ss}", "n", "third")));
  while (b.frames < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (vend_link_send_later (a.link, json_pack ("{ss}", "n", "last")));
  g_clear_pointer (&a.link, vend_link_free);
  while (b.closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (b.frames, ==, 4);
}

/* On the next connection it would be just as long. */
static void
test_too_long (void)
{
  Side a = { 0 };
  Side b = { 0 };
  make_pair (&a, &b, 1000);
  g_autofree char *fill = g_strnfill (1000, 'x');
  json_auto_t *frame = json_pack ("{ss}", "fill", fill);
  g_assert_false (vend_link_takes (a.link, frame));
  g_assert_false (vend_link_send (a.link, json_incref (frame)));
  g_assert_true (vend_link_send (a.link, json_pack ("{ss}", "n", "next")));
  while (b.frames < 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (a.closed, ==, 0);
  vend_link_free (a.link);
  vend_link_free (b.link);
}

static void
test_slow_reader (void)
{
  Side a = { 0 };
  int fds[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  vend_autofd unread G_GNUC_UNUSED = fds[1];
  a.link = vend_link_adopt (g_main_context_default (), fds[0], 1 << 20, &events, &a);
  g_autofree char *fill = g_strnfill (900000, 'x');
  guint sent = 0;
  while (vend_link_send (a.link, json_pack ("{ss}", "fill", fill)))
    g_assert_cmpuint (++sent, <, 10);
  while (a.closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (a.had_error);
}

static void
test_free_inside_event (void)
{
  Side a = { 0 };
  Side b = { .free_on_frame = true };
  make_pair (&a, &b, 1000);
  for (int i = 0; i < 3; i++)
    g_assert_true (vend_link_send (a.link, json_pack ("{si}", "i", i)));
  while (b.link != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (b.frames, ==, 1);
  while (a.closed == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_long_path (void)
{
  g_autofree char *base = g_dir_make_tmp ("vend-link-XXXXXX", NULL);
  g_autofree char *fill = g_strnfill (200, 'd');
  g_autofree char *folder = g_build_filename (base, fill, NULL);
  g_autofree char *path = g_build_filename (folder, "director.sock", NULL);
  g_assert_true (vend_dir_ensure (folder, NULL));
  Side a = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_link_connect (NULL, path, 1000, &events, &a, &a.link, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_UNAVAILABLE);
  vend_autofd listener = -1;
  g_assert_true (vend_link_listen (path, &listener, NULL));
  g_assert_true (
      vend_link_connect (g_main_context_default (), path, 1000, &events, &a, &a.link, NULL));
  vend_link_free (a.link);
  g_assert_true (vend_tree_remove (base, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  main_thread = g_thread_self ();
  g_test_add_func ("/frame/pieces", test_frames_in_pieces);
  g_test_add_func ("/frame/bad", test_bad_frames);
  g_test_add_func ("/link/exchange", test_exchange);
  g_test_add_func ("/link/large-frames", test_large_frames);
  g_test_add_func ("/link/large-and-bad", test_large_and_bad);
  g_test_add_func ("/link/large-and-freed", test_large_and_freed);
  g_test_add_func ("/link/send-later", test_send_later);
  g_test_add_func ("/link/slow-reader", test_slow_reader);
  g_test_add_func ("/link/too-long", test_too_long);
  g_test_add_func ("/link/free-inside-event", test_free_inside_event);
  g_test_add_func ("/link/long-path", test_long_path);
  return g_test_run ();
}
