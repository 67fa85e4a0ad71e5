/* Reads JSON texts (RFC 8259) into jansson's values. Errors name the place: "input.sizes.2". Any
 * thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <jansson.h>

/* Levels of arrays and objects in each other, 1 for [0]. What comes from outside is not so deep, so
 * that it can be read again after it was put into a frame or a list. */
#define VEND_JSON_MAX_DEPTH 512
#define VEND_JSON_OUTSIDE_DEPTH 480

typedef struct
{
  guint max_depth; /* 0 = VEND_JSON_MAX_DEPTH */
  /* Integers above INT64_MAX are taken in this member of the outermost object alone; NULL =
   * anywhere. Elsewhere a reader who does not know them might take one for text. */
  const char *data_member;
  bool replaces_nul; /* a NUL becomes U+FFFD, where it is refused without */
} VendJsonParsing;

/* BAD_REQUEST names line and column of what is not JSON. INVALID names the place of what is, but
 * cannot be passed on: a number out of range, NUL or half a surrogate pair in a string, too many
 * levels. Of two members with one name the last counts, as in Python, JavaScript and coglet. */
bool vend_json_parse_as (const VendJsonParsing *how, const char *text, gsize size, json_t **out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
