/* Values of settings such as "127.0.0.1:80", "[::1]:0", "localhost:8080", and sockets that listen
 * there. Blocks while a name is looked up. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <sys/socket.h>

typedef struct
{
  struct sockaddr_storage address;
  socklen_t size;
} VendListenAddress;

/* `setting` is the name in errors. */

/* The host without brackets, and the port. INVALID. Free with g_free. */
bool vend_listen_split (const char *text, const char *setting, char **out_host, char **out_port,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first address. INVALID. */
bool vend_listen_find (const char *text, const char *setting, VendListenAddress *out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A socket that does not block and listens there, also at all addresses of IPv4 for "[::]".
 * INVALID, UNAVAILABLE. */
bool vend_listen_open (const char *text, const char *setting, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Of a socket that listens. */
bool vend_listen_port (int fd, guint *out_port, GError **error) G_GNUC_WARN_UNUSED_RESULT;
