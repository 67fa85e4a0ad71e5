/* What a manager of services asks of a service, as systemd's sd_notify(3), sd_listen_fds(3) and
 * sd_watchdog_enabled(3) say it: news, a socket that listens already, signs of life. Main thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  char *socket;        /* where news go; NULL: nobody asks */
  int64_t watchdog_us; /* a sign of life is due this often; 0: nobody asks */
  int listener;        /* -1: there is none */
} VendService;

/* Takes the variables, so that no child has them, before other threads start. INVALID for several
 * sockets, or one that is no listening stream of IP. */
bool vend_service_take (VendService *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_service_clear (VendService *service);

/* "127.0.0.1:8363" of the listener. Free with g_free. */
bool vend_service_address (const VendService *service, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Assignments, a line each: "READY=1\nSTATUS=…". Never blocks; what cannot be told is dropped. */
void vend_service_tell (const VendService *service, const char *news);
