/* Contents on TLS connections: files, and folders with all that is in them, in constant memory and
 * checked by their SHA-256. Blocking; any thread but the core thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "machines/exchange.h"

/* No byte for so long ends a transfer. */
#define VEND_TRANSFER_PATIENCE_MS 30000

/* ---- The two sides of a transfer */

/* Called now and then with `data`; may be NULL. */
typedef void (*VendTransferTick) (void *data);

/* `size` bytes of `fd`. */
bool vend_transfer_send_file (VendTlsStream *stream, int fd, uint64_t size, VendTransferTick tick,
                              void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same to `fd`; CONFLICT when they are not those of `sha256`. */
bool vend_transfer_receive_file (VendTlsStream *stream, int fd, uint64_t size, const char *sha256,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All files, folders and links below `dir`, with modes and times. */
bool vend_transfer_send_tree (VendTlsStream *stream, const char *dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* To `dir`, which must not be there. On disk when it returns. After an error `dir` is there in
 * part. */
bool vend_transfer_receive_tree (VendTlsStream *stream, const char *dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- By who dials the control plane */

#define VEND_HELLO_CONTENT "content" /* fields: sha256; `welcome` has `size` */
#define VEND_HELLO_TREE "tree"       /* fields: tree; `welcome` has `root`, the data directory */
#define VEND_HELLO_OUTPUT "output"   /* fields: instance, name, size, sha256; see below */

/* The content, to the new file `path`. */
bool vend_transfer_fetch_content (const VendDialer *dialer, const char *sha256, const char *path,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The folder `tree` of the control plane's data directory, to `dir`, which must not be there.
 * `*out_root` is that data directory. Free with g_free. */
bool vend_transfer_fetch_tree (const VendDialer *dialer, const char *tree, const char *dir,
                               char **out_root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Brings each output file that `frame`, of the director of `instance`, names to the control plane,
 * and names it by its path there. `*out_paths` (or NULL) gets the former paths: they are this
 * machine's, and to be removed once the control plane has acknowledged. A file that the control
 * plane refuses keeps its path, so that its run fails there. */
bool vend_transfer_bring_outputs (const VendDialer *dialer, const char *instance, json_t *frame,
                                  VendTransferTick tick, void *data, GPtrArray *out_paths,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- By the control plane */

/* Answers a hello of VEND_HELLO_OUTPUT: takes the file to `folder` under its name, unless it is
 * there. */
bool vend_transfer_take_output (VendTlsStream *stream, const json_t *hello, const char *folder,
                                uint64_t max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
