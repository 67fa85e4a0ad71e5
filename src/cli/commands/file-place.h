/* Where the files of a data directory are: there, or on S3 by the setting `files`. Main thread;
 * blocks on disk and network. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/settings.h"
#include "files/blobs.h"
#include "files/s3.h"

/* The credentials of S3, as the environment has them. */
typedef struct
{
  char *key_id;
  char *secret;
  char *session;
  char *region;
} VendFileKeys;
void vend_file_keys_clear (VendFileKeys *keys);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendFileKeys, vend_file_keys_clear)
/* Takes them out of the environment, so that no child has them. */
void vend_file_keys_take (VendFileKeys *out);

/* The value of a variable of the environment; NULL when it is empty or not there. */
const char *vend_s3_variable (const char *name);
/* With the credentials and the region of the environment, all borrowed. Main thread only. */
VendS3Options vend_s3_from_environment (const char *place, const char *endpoint);

/* A bucket by the credentials of this environment; `*out_place` is its name in one form, and may be
 * left out. INVALID for a place that cannot work. */
bool vend_file_depot_at (const char *place, const char *endpoint, VendDepot **out, char **out_place,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For a command beside the server: what the directory says of itself, with the endpoint of the
 * settings and the credentials of this environment. `*out` is NULL when files are in the directory.
 * INVALID for settings that cannot work. */
bool vend_file_depot_find (const char *data_dir, VendDepot **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Opens the files of a server. INVALID, with nothing changed, when the files of the directory are
 * somewhere else, or the place is another's. */
bool vend_file_place_open (const VendSettings *settings, const VendFileKeys *keys,
                           const char *data_dir, VendBlobs **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
