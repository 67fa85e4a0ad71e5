/* The page of `vend top`, from the reply of GET /v1/status. Pure: no terminal, no clock. */
#pragma once
#include <glib.h>

#include "json/json.h"

typedef struct
{
  guint width;  /* columns; 0 = as many as are needed */
  guint height; /* lines; 0 = as many as are needed */
} VendTopSize;

/* Lines without control characters, headings of tables among them; free with g_strfreev. `before`
 * is an earlier state, for the shares of the processor since then, or NULL: they are those since
 * each instance began. `server` is the address. `out_bold` gets true for lines that are headings
 * (one value a line, free with g_free), and may be NULL. */
char **vend_top_view (const json_t *now, const json_t *before, const char *server, VendTopSize size,
                      gboolean **out_bold) G_GNUC_WARN_UNUSED_RESULT;
