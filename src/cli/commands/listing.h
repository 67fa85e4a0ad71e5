/* The `list` subcommands: one page after the other of a list, as a table or as JSON. Main thread.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  const char *command; /* "models list" */
  const char *summary; /* a sentence for --help */
  const char *path;    /* "/v1/models" */
  int limit;           /* how many unless --limit tells; 0 = all */
  bool is_newest_first;
  void (*print) (const json_t *page); /* as a table, from its `results` */
  /* A flag that asks for another list, or NULL. */
  const char *flag, *flag_help, *flag_path;
} VendListing;

bool vend_listing_run (const VendListing *listing, int argc, char **argv, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
