/* The XML of S3 answers. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* The text of the first element of this name; NULL: there is none, or no XML. Free with g_free. */
char *vend_s3_text_of (const char *xml, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* One entry of a list: the texts of its elements by name. */
typedef void (*VendS3Entry) (GHashTable *texts, void *data);
/* Calls `entry` for each element `name` and its children. INVALID for what is no XML. */
bool vend_s3_entries (const char *xml, const char *name, VendS3Entry entry, void *data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
