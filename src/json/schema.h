/* Checks JSON values against the JSON Schema subset that Cog's OpenAPI documents use: type, enum,
 * minimum, maximum, minLength, maxLength, pattern, items, anyOf, allOf, $ref, nullable. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* Checks the members of `input` that `components.schemas.<component>` of `openapi` names. Unknown
 * members are valid, and so is a null for an optional member. Returns NULL when valid, else an
 * array of {"type", "field", "description"} objects in the vocabulary of the original service's
 * validator. */
json_t *vend_schema_problems (const json_t *openapi, const char *component, const json_t *input)
    G_GNUC_WARN_UNUSED_RESULT;

/* A component's schema, or NULL. Borrowed. */
const json_t *vend_schema_component (const json_t *openapi, const char *component);

/* Whether the schema of an object names the member among those that must be there. */
bool vend_schema_requires (const json_t *schema, const char *name);

/* The properties object of a component, or NULL. Borrowed. */
const json_t *vend_schema_properties (const json_t *openapi, const char *component);

/* What a field of format "uri" takes: a data, http or https URL. A plain path would be one of the
 * server's machine. */
bool vend_schema_is_file_uri (const char *text);

/* `schema` itself, or the target of its $ref or its only allOf member. Borrowed; never NULL. */
const json_t *vend_schema_resolve (const json_t *openapi, const json_t *schema);
