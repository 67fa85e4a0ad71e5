/* Turns what a model returned into what Vend passes on: data URIs and uploaded files anywhere in it
 * become `$vend.file` objects. Main thread; decodes and hashes in place, so a large data URI takes
 * its time there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  const char *folder; /* where files go: DIR/outputs */
  const char *prefix; /* first part of their names on disk, unique for the run */
  guint n_files;      /* counts up */
  uint64_t max_file;  /* bytes; 0 = any size */
  /* The file object of an upload whose address is `text`, a new reference, or NULL. */
  json_t *(*find_upload) (const char *text, void *context);
  void *context;
} VendOutputFiles;

/* `*out` is a new reference; `value` itself is not changed but parts of it may be shared. STORAGE
 * when a file cannot be written, TOO_LARGE when one is over the limit. */
bool vend_output_convert (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* {"$vend.file": {…}}. */
json_t *vend_output_file_new (const char *path, const char *name, const char *type, uint64_t size,
                              const char *sha256) G_GNUC_WARN_UNUSED_RESULT;

/* What is known of a file that vend_output_file_new made; NULL for any other value. Borrowed. */
json_t *vend_output_peek_file (const json_t *value);

/* Parses text of the model server: each NUL in it becomes U+FFFD. */
bool vend_output_parse (const char *text, gsize size, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
