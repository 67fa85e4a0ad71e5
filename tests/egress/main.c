/* The egress proxy alone, for real clients. Prints its port, then a line for each report; ends when
 * its standard input does. */
#include "egress/egress.h"
#include "base/fd-source.h"
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static void
print_report (const VendProxyReport *report, void *data)
{
  printf ("%s %s %u %u\n", vend_proxy_verdict_name (report->verdict),
          report->host != NULL ? report->host : "-", report->port, report->connections);
  fflush (stdout);
}

static gboolean
on_end (int fd, GIOCondition condition, void *loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  struct sockaddr_in at = { .sin_family = AF_INET };
  socklen_t size = sizeof at;
  g_autoptr (VendNetworks) allow = NULL;
  const int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (argc != 2 || !vend_networks_parse (argv[1], "allow", &allow, NULL) || listener < 0
      || bind (listener, (struct sockaddr *) &at, sizeof at) < 0 || listen (listener, 128) < 0
      || getsockname (listener, (struct sockaddr *) &at, &size) < 0)
    return 2;
  printf ("%u\n", ntohs (at.sin_port));
  fflush (stdout);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  VendProxy *proxy
      = vend_proxy_new (listener, &(VendProxyOptions){ .context = g_main_context_default (),
                                                       .allow = allow,
                                                       .setting = "egress-allow",
                                                       .report = print_report });
  GSource *end = vend_fd_source_new (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_end, loop, NULL);
  g_main_loop_run (loop);
  vend_gsource_clear (&end);
  vend_proxy_free (proxy);
  return 0;
}
