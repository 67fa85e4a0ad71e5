/* One line of a requirements file, taken apart as pip does it: a requirement, options, or both.
 * Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct
{
  const char *name; /* the long one: "--index-url"; static */
  char *value;      /* NULL when it takes none */
} VendPipOption;

typedef struct
{
  char *requirement;  /* "" when there are only options */
  GPtrArray *options; /* of VendPipOption *, as written */
} VendPipLine;

void vend_pip_line_free (VendPipLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendPipLine, vend_pip_line_free)

/* `text` is one logical line without its comment. INVALID says what is wrong, without the place:
 * "option '--x' is not supported". */
bool vend_pip_line_parse (const char *text, VendPipLine **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* "Cog[x] >= 1" → "cog", with what separates words made one as package indexes do. Free with
 * g_free. */
char *vend_pip_package_name (const char *requirement) G_GNUC_WARN_UNUSED_RESULT;

/* Of "torch==2.1.0+cpu" and its sisters "cpu": which of PyTorch's own indexes has it. NULL for all
 * others. Free with g_free. */
char *vend_pip_torch_build (const char *requirement) G_GNUC_WARN_UNUSED_RESULT;
