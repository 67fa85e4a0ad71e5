/* Sockets in the network namespace of a sandbox, for who stays outside of it. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct VendInside VendInside;

/* `process` is one of the sandbox that is alive. */
bool vend_inside_new (pid_t process, VendInside **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_inside_free (VendInside *inside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInside, vend_inside_free)

/* A TCP socket of IPv4, not blocking; with a `port` it listens there on 127.0.0.1. Forks for a
 * millisecond: a process with threads cannot enter the namespaces of others itself. */
bool vend_inside_socket (const VendInside *inside, guint port, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
