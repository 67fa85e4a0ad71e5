/* Lines that the model server writes to stderr: JSON, or plain text from before its logging. Pure.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_LINE_SERVER, /* of the server itself: interesting only when it dies */
  VEND_LINE_MODEL,  /* what the model printed outside of a prediction, or a warning about it */
} VendLineKind;

/* `*out_text` is what a person wants to read. Free with g_free. */
VendLineKind vend_log_line_parse (const char *line, gsize size, char **out_text);
