/* Reads JSON texts (RFC 8259) into jansson's values. Errors name the place: "input.sizes.2". Any
 * thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <jansson.h>

/* Nesting of arrays and objects, 1 for [0]. The limit for texts from outside is lower, so that they
 * can be parsed again inside a frame or a list. */
#define VEND_JSON_MAX_DEPTH 512
#define VEND_JSON_OUTSIDE_DEPTH 480

typedef struct
{
  guint max_depth; /* 0 = VEND_JSON_MAX_DEPTH */
  /* Integers above INT64_MAX are accepted only in this member of the outermost object; NULL =
   * anywhere. Elsewhere code without support for them might take them for text. */
  const char *data_member;
  bool replaces_nul; /* a NUL becomes U+FFFD instead of an error */
} VendJsonParsing;

/* BAD_REQUEST names line and column of invalid JSON. INVALID names the place of a value that cannot
 * be passed on: a number out of range, NUL or half a surrogate pair in a string, too many levels.
 * Of two members with one name the last counts, as in Python, JavaScript and coglet. */
bool vend_json_parse_as (const VendJsonParsing *how, const char *text, gsize size, json_t **out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
