/* data: URIs (RFC 2397) as files of inputs. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_DATA_URI_TYPE_MAX 200

typedef struct
{
  char *type; /* with its parameters, "text/plain" when none is given */
  GBytes *bytes;
  bool is_usual; /* written as every model server reads it */
} VendDataUri;

void vend_data_uri_clear (VendDataUri *uri);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendDataUri, vend_data_uri_clear)

/* Whether it begins with the scheme, in any case. */
bool vend_is_data_uri (const char *text);

/* Reads the URI of `size` bytes. Blanks are allowed between the digits of base64 alone. Otherwise
 * false, with what is wrong in `*problem`, a constant phrase that goes on after its name. */
bool vend_data_uri_parse (const char *text, gsize size, VendDataUri *out, const char **problem)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same file in the usual form. Free with g_free. */
char *vend_data_uri_text (const VendDataUri *uri) G_GNUC_WARN_UNUSED_RESULT;
