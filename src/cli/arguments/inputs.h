/* "key=value" arguments made JSON by a version's Input schema. Pure but for the file check; main
 * thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "json/schema.h"

typedef struct
{
  char *name;
  char *text;   /* the value, or the path of a file */
  bool is_file; /* was written @path */
} VendInputArgument;

/* `words` are "key=value" or "key=@path"; "key=@@text" is the text "@text". Free with
 * g_ptr_array_unref. */
bool vend_input_arguments_parse (char **words, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The value of one argument that is no file. INVALID names the field and what it takes. A field
 * that the schema does not have is taken as it is. */
bool vend_input_value (const json_t *openapi, const VendInputArgument *argument, json_t **out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For a Secret that was written @path, or @- for standard input: its text is what the file holds,
 * without the end of the last line. Nothing for others. INVALID names the field. */
bool vend_input_read_secret (const json_t *openapi, VendInputArgument *argument, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* INVALID when the field takes no file or the file cannot be read. */
bool vend_input_file_check (const json_t *openapi, const VendInputArgument *argument,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts `value` (taken) into `input`; values of a list field are collected. INVALID for a field that
 * is given twice. */
bool vend_input_set (const json_t *openapi, json_t *input, const VendInputArgument *argument,
                     json_t *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* INVALID names the first required field that `arguments` lack. */
bool vend_input_required_check (const json_t *openapi, const GPtrArray *arguments, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

bool vend_input_is_known (const json_t *openapi, const char *name);

/* The field whose name is nearest to a wrong one, borrowed, or NULL. */
const char *vend_input_suggest (const json_t *openapi, const char *name);

/* The schema of an input field; NULL when there is none. Borrowed. */
const json_t *vend_schema_field (const json_t *openapi, const char *name);

/* "integer", "string (file)", "one of a, b", for people. Free with g_free. */
char *vend_schema_type_text (const json_t *openapi, const json_t *schema) G_GNUC_WARN_UNUSED_RESULT;
