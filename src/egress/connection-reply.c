/* Answers of the proxy's own, and reports. */
#include "egress/connection-private.h"
#include <string.h>

#define REPLY_US 10000000 /* for a client that does not read */

static const char *
reason_of (int status)
{
  static const struct
  {
    int status;
    const char *reason;
  } reasons[] = {
    { 400, "Bad Request" },     { 403, "Forbidden" },
    { 408, "Request Timeout" }, { 431, "Request Header Fields Too Large" },
    { 502, "Bad Gateway" },     { 504, "Gateway Timeout" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  g_assert_not_reached ();
}

void
vend_proxy_tell (VendProxyConnection *connection, VendProxyVerdict verdict, guint connections)
{
  const VendProxyRequest *request = connection->request;
  g_autofree char *address
      = connection->next_address > 0 && verdict == VEND_PROXY_PASSED
            ? vend_address_text (&connection->addresses[connection->next_address - 1])
            : NULL;
  const VendProxyReport report = { .verdict = verdict,
                                   .host = request != NULL ? request->to.host : NULL,
                                   .port = request != NULL ? request->to.port : 0,
                                   .address = address,
                                   .connections = connections,
                                   .sent = connection->up.moved,
                                   .received = connection->down.moved };
  vend_proxy_reporter_add (connection->shared->reporter, &report);
  connection->is_reported = true;
}

void
vend_proxy_reply (VendProxyConnection *connection, int status, VendProxyVerdict verdict,
                  const char *sentence)
{
  VendFlow *down = &connection->down;
  const bool has_body = connection->request == NULL || !connection->request->is_head;
  if (!connection->is_reported)
    vend_proxy_tell (connection, verdict, 1);
  g_autofree char *text = g_strdup_printf (
      "HTTP/1.1 %d %s\r\nX-Vend-Error: %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s%s",
      status, reason_of (status), vend_proxy_verdict_name (verdict), strlen (sentence) + 1,
      has_body ? sentence : "", has_body ? "\n" : "");
  vend_flow_drop (down);
  vend_flow_replace (down, 0, text, strlen (text));
  connection->state = VEND_PROXY_REPLY_STATE;
  vend_proxy_set_deadline (connection, REPLY_US);
}
