/* Texts that end an answer, for models that cannot look for them: cut out of pieces as they come.
 * Pure; one thread at a time. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "openai/error.h"

#define VEND_OPENAI_STOPS_MAX 16
#define VEND_OPENAI_STOP_MAX_BYTES 1024

/* `stop` of a request as an array of texts; NULL with a fault. */
json_t *vend_openai_read_stop (const json_t *value, VendOpenaiFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct VendOpenaiStop VendOpenaiStop;
/* `stops` is shared. */
VendOpenaiStop *vend_openai_stop_new (const json_t *stops);
void vend_openai_stop_free (VendOpenaiStop *stop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOpenaiStop, vend_openai_stop_free)

/* What may be said after this piece: not what a stop may begin with. */
char *vend_openai_stop_take (VendOpenaiStop *stop, const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* What was kept back, at the end of the output. */
char *vend_openai_stop_rest (VendOpenaiStop *stop) G_GNUC_WARN_UNUSED_RESULT;
/* Whether one has come: nothing more is said. */
bool vend_openai_stop_is_found (const VendOpenaiStop *stop);
