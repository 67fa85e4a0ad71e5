/* What the checks of a file and of a server share. */
#pragma once
#include "store/integrity.h"

/* The number in the file of the data directory; 0 without one. */
bool vend_integrity_read_installation (const char *file, int64_t *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Writes such a file: with `theirs`, or with a new number when that is 0. */
bool vend_integrity_make_installation (const char *file, int64_t theirs, int64_t *out,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool vend_integrity_check_server (const VendIntegrity *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_integrity_claim_server (const char *url, const char *installation, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
