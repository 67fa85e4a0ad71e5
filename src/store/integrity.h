/* Whether the database belongs to this data directory, and its file is whole. Blocks on disk, or on
 * the server of the database. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  const char *path;         /* of the database, or its postgres:// URL */
  const char *installation; /* file with the number of this directory's database */
  bool has_data;            /* versions or files lie beside the database */
  int64_t limit_us;         /* for the check of pages */
} VendIntegrity;

/* Before the store is opened; changes nothing. STORAGE, with the fix, for a file that is no
 * database of Vend, truncated, damaged, of another data directory, or missing beside its data.
 * `*out_complete` is false when the time limit came before the last page. */
bool vend_integrity_check (const VendIntegrity *options, bool *out_complete, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After the store is opened: gives database and directory the same number, once. */
bool vend_integrity_claim (const char *path, const char *installation, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds problems of pages to `problems` (of char *), at most 20. `full` checks indexes too.
 * `limit_us` 0: no limit. May run beside a server. */
bool vend_integrity_check_pages (const char *path, bool full, int64_t limit_us, GPtrArray *problems,
                                 bool *out_complete, GError **error) G_GNUC_WARN_UNUSED_RESULT;
