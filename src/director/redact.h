/* Keeps values of secrets out of what leaves the director: logs, errors, outputs. The exact value
 * is replaced by "[secret NAME]"; of one with several lines also each line alone, since logs are
 * lines. Values of fewer than VEND_SECRET_LEAST_HIDDEN bytes are not looked for. Pure; one thread.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendRedactor VendRedactor;

VendRedactor *vend_redactor_new (void) G_GNUC_WARN_UNUSED_RESULT;
/* Wipes the values. */
void vend_redactor_free (VendRedactor *redactor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRedactor, vend_redactor_free)

void vend_redactor_add (VendRedactor *redactor, const char *name, const char *value);

/* NULL is a redactor without secrets. */
bool vend_redactor_is_empty (const VendRedactor *redactor);
/* Free with g_free. */
char *vend_redact_text (const VendRedactor *redactor, const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* All texts and keys in `value`, in place; of an output file its name. */
void vend_redact_json (const VendRedactor *redactor, json_t *value);
/* What the model said in a frame to the control plane; the words of the protocol stay, whatever the
 * secrets are. */
void vend_redact_frame (const VendRedactor *redactor, json_t *frame);

/* A text that comes in pieces: appends to `out` what can be told of it. The end that may be the
 * begin of a secret stays in `held` until the next piece, or is appended too with `is_last`. */
void vend_redact_piece (const VendRedactor *redactor, GString *held, const char *piece, gsize size,
                        bool is_last, GString *out);
