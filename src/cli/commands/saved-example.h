/* A run that is kept as an example in the folder of its model: `vend run --save-example`. Main
 * thread only; blocks. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/client/client.h"
#include "cli/terminal/terminal.h"

typedef struct VendSavedExample VendSavedExample;

/* INVALID when `dir` is no directory, or has a vend.yaml that cannot be added to. `progress` is
 * borrowed. */
bool vend_saved_example_new (const char *dir, VendProgress *progress, VendSavedExample **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_saved_example_free (VendSavedExample *saved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSavedExample, vend_saved_example_free)

/* `url` in an input stands for the file at `path`. */
void vend_saved_example_uploaded (VendSavedExample *saved, const char *url, const char *path);

/* Copies the files of the run into DIR/examples/ and adds the run to DIR/vend.yaml; nothing is left
 * after a failure. */
bool vend_saved_example_write (VendSavedExample *saved, VendClient *client,
                               const json_t *prediction, GError **error) G_GNUC_WARN_UNUSED_RESULT;
