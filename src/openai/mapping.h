/* What the author or the owner of a model states about OpenAI's endpoints, as `openai` of vend.yaml
 * has it:
 *
 * {"endpoints": ["chat.completions"], "inputs": {"prompt": "text"},
 *  "template": {"user": "User: {text}\n", "answer": "Bot:"}, "ignore": ["tools"]}
 *
 * Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* What is wrong with it, as "inputs.x: there is …"; NULL when nothing is. Free with g_free. */
char *vend_openai_mapping_problem (const json_t *mapping) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a good one beside the schema of a version. */
char *vend_openai_mapping_misfit (const json_t *mapping, const json_t *openapi)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether a field that changes what the answer means is left out instead of refused. */
bool vend_openai_mapping_ignores (const json_t *mapping, const char *field);
/* The template of messages, or NULL. */
const json_t *vend_openai_mapping_template (const json_t *mapping);
/* Appends what the template makes of a message; false when it has none for the role. */
bool vend_openai_template_append (const json_t *template, const char *role, const char *text,
                                  GString *to);
