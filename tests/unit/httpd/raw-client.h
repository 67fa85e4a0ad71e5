/* A client that sends exactly what a test says and reads one reply at a time. Aborts the test on a
 * socket error; waits at most RAW_TIMEOUT_S for anything. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define RAW_TIMEOUT_S 20

typedef struct
{
  int fd;
  GString *unread;
} RawClient;

typedef struct
{
  int status; /* 0: closed before a reply */
  char *head; /* status line and headers */
  GString *body;
  bool complete; /* the body ended as its head said */
} RawReply;

RawClient *raw_connect (guint port);
void raw_free (RawClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawClient, raw_free)

/* False when the peer has closed. */
bool raw_send (RawClient *client, const char *data, gssize size);
void raw_send_format (RawClient *client, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* `no_body` for the reply to HEAD. */
RawReply *raw_read (RawClient *client, bool no_body);
/* Whatever comes next, at least one byte; "" at the end. Free with g_free. */
char *raw_read_some (RawClient *client);
/* True when the server closes without another byte. */
bool raw_at_end (RawClient *client);
/* Aborts the connection (RST). */
void raw_abort (RawClient *client);

void raw_reply_free (RawReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawReply, raw_reply_free)
/* Free with g_free; NULL when absent. */
char *raw_header (const RawReply *reply, const char *name);

/* One request on a connection of its own. `extra` are header lines, each with CR LF, or NULL. */
RawReply *raw_request (guint port, const char *method, const char *path, const char *extra,
                       const char *body);
