/* On which machine an instance starts. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct
{
  guint units;    /* that it may use together */
  guint used;     /* by instances, also by those that start or end */
  bool is_open;   /* connected, and not draining */
  bool has_files; /* of the version: it has run there */
} VendPlaceOption;

/* The index of the machine for an instance of `size` units: the one with the most free units, of
 * those the first that has the files, of those the first. -1: none has room. */
int vend_place (const VendPlaceOption *options, gsize n, guint size);

/* The units of all machines together, for plans: of one that is not open those that are used, since
 * they come free for nobody. */
guint vend_place_units (const VendPlaceOption *options, gsize n);
