/* System calls that models may not make, as a program for the kernel (seccomp). */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_FILTER_MODEL,
  VEND_FILTER_ROOM, /* of zygotes, whose forks enter the namespaces of their instances */
} VendFilterKind;

/* `*out_fd` is a memory file with the program, at its beginning. Takes about a millisecond. */
bool vend_sandbox_filter (VendFilterKind kind, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
