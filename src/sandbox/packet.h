/* Messages from inside of a sandbox: packets of a SOCK_SEQPACKET that has SO_PASSCRED set, so that
 * the kernel says who sent them. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#define VEND_PACKET_MAX 512

typedef struct
{
  char text[VEND_PACKET_MAX]; /* ends with NUL */
  int fd;                     /* that came along, the caller's; -1: none */
  pid_t sender;               /* 0: not told */
} VendPacket;

/* Two ends of one; the first one hears who speaks at the second. */
bool vend_packet_pair (int *out_own, int *out_theirs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does not wait. False when nothing more comes now; errno is 0 when the other end is closed. */
bool vend_packet_receive (int fd, VendPacket *out) G_GNUC_WARN_UNUSED_RESULT;
