/* Adds saved runs to a vend.yaml, as text: comments and the form of what is there stay. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* `text` (may be empty) with one more item of `examples`. `example` has input, output, logs and
 * metrics, whose texts are as in the file ("@cat.png"); NULL members are left out. INVALID when
 * `text` has a form that cannot be added to. `*out` is free'd with g_free. */
bool vend_card_append_example (const char *text, const json_t *example, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
