/* Copies JSON text while it arrives, shortening one string member of the top-level object, so that
 * a document with 100 MB of logs in it never has to be in memory. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_JSON_CUT_MEMBER_MAX 16

typedef struct
{
  const char *member; /* literal, at most VEND_JSON_CUT_MEMBER_MAX bytes; NULL copies everything */
  gsize keep;         /* bytes of its value as written, cut at the end of a character */
  guint depth;
  bool in_string;
  bool escaped;      /* the last byte was a backslash */
  guint hex_left;    /* of a \uXXXX */
  guint unit;        /* its value */
  bool half;         /* it was the first of two that make one character */
  bool second_half;  /* the second is being read */
  bool key_expected; /* the next string at depth 1 is a key */
  bool in_key;
  bool matched; /* the last key was `member` */
  bool cutting;
  gsize kept;
  char key[VEND_JSON_CUT_MEMBER_MAX + 1];
  gsize key_length;
} VendJsonCut;

void vend_json_cut_start (VendJsonCut *cut, const char *member, gsize keep);
void vend_json_cut_feed (VendJsonCut *cut, const char *data, gsize size, GString *out);
