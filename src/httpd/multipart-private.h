/* multipart/form-data, parsed as it arrives. Pure: bytes in, events out. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_MULTIPART_HEAD_BYTES (8 * 1024) /* headers of one part */

typedef struct VendMultipart VendMultipart;

/* Strings are borrowed. A callback that returns false stops the parser with that error. */
typedef struct
{
  bool (*begin) (void *context, const char *name, const char *filename, const char *content_type,
                 GError **error);
  bool (*data) (void *context, const char *data, gsize size, GError **error);
  bool (*end) (void *context, GError **error);
} VendMultipartEvents;

/* The boundary in a Content-Type header; NULL unless it is multipart/form-data with a valid
 * boundary. Free with g_free. */
char *vend_multipart_boundary (const char *content_type);
VendMultipart *vend_multipart_new (const char *boundary, const VendMultipartEvents *events,
                                   void *context);
void vend_multipart_free (VendMultipart *multipart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMultipart, vend_multipart_free)
bool vend_multipart_feed (VendMultipart *multipart, const char *data, gsize size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* False when the closing boundary has not come. */
bool vend_multipart_finish (VendMultipart *multipart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
