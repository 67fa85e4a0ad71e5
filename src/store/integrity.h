/* Whether the database file is the one of this data directory, and whole. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  const char *path;         /* of the database */
  const char *installation; /* file with the number that the database of this directory has */
  bool has_data;            /* versions or files lie beside it */
  int64_t limit_us;         /* for the look at its pages */
} VendIntegrity;

/* Before the store is opened; changes nothing. STORAGE, with what to do, for a file that is no
 * database of Vend, cut off, damaged, of another data directory, or missing beside its data.
 * `*out_complete` is false when the time did not suffice for all pages. */
bool vend_integrity_check (const VendIntegrity *options, bool *out_complete, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After it was opened: gives database and directory the same number, once. */
bool vend_integrity_claim (const char *path, const char *installation, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds what is wrong with pages to `problems` (of char *), at most 20. `full` looks at indexes too.
 * `limit_us` 0: no limit. Beside a running server as well. */
bool vend_integrity_check_pages (const char *path, bool full, int64_t limit_us, GPtrArray *problems,
                                 bool *out_complete, GError **error) G_GNUC_WARN_UNUSED_RESULT;
