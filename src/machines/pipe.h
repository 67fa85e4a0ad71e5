/* Bytes between a TLS connection and a local socket, both ways, until either ends. Blocking. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "machines/tls-stream.h"

/* `fd` is a blocking stream socket, which is shut down at the end and not closed; likewise the
 * stream. */
void vend_pipe_run (VendTlsStream *stream, int fd);
