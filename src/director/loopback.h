/* The model's way in and out: an HTTP server on loopback under an unguessable path that serves
 * input files, takes output files and, where the server cannot stream, its webhooks. Requests
 * arrive on HTTP threads and are answered from the main context, where all tables live. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendLoopback VendLoopback;

/* A webhook about the run `cog_id`; `path` is its body, removed afterwards. */
typedef void (*VendLoopbackHook) (const char *cog_id, const char *path, void *data);

/* Uses DIR/spool and DIR/outputs, which it makes. Does not listen yet. */
bool vend_loopback_new (const char *dir, uint64_t max_output_file, VendLoopbackHook hook,
                        void *data, VendLoopback **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_loopback_free (VendLoopback *loopback);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLoopback, vend_loopback_free)

/* Listens from then on; harmless when it does already. Before any of the addresses below. */
/* Where it listens in a network namespace that is still to be made. */
typedef struct
{
  guint port;
  bool (*listen) (guint port, int *out_fd, void *data, GError **error);
  void *data;
} VendLoopbackPlace;
/* Once, before it is opened: its addresses hold from here on, and it answers after
 * vend_loopback_enter. */
void vend_loopback_set_place (VendLoopback *loopback, const VendLoopbackPlace *place);
/* The namespace is there; also when it is another one than before. */
bool vend_loopback_enter (VendLoopback *loopback, GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool vend_loopback_open (VendLoopback *loopback, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "http://127.0.0.1:<port>/<token>", for `--upload-url` with "/up" added. */
const char *vend_loopback_url (const VendLoopback *loopback);

/* Serves `path` to the model; returns its address. `name` and `type` may be NULL. Free with g_free.
 */
char *vend_loopback_add_input (VendLoopback *loopback, const char *cog_id, const char *path,
                               const char *name, const char *type) G_GNUC_WARN_UNUSED_RESULT;
char *vend_loopback_hook_url (const VendLoopback *loopback, const char *cog_id)
    G_GNUC_WARN_UNUSED_RESULT;

/* The file object for the address of an upload of this run, a new reference, or NULL. */
json_t *vend_loopback_claim (VendLoopback *loopback, const char *cog_id, const char *text);

/* The run is over: its inputs are not served any more, uploads that nobody claimed are removed. */
void vend_loopback_forget (VendLoopback *loopback, const char *cog_id);
