/* Finds the Python that a model asks for, installing one with uv if that is what it takes. */
#pragma once
#include "build/build-private.h"

typedef struct
{
  char *path;     /* of the interpreter itself, not of a launcher */
  char *version;  /* "3.11.7" */
  char *platform; /* what binary packages depend on beside the version */
} VendInterpreter;

void vend_interpreter_free (VendInterpreter *interpreter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInterpreter, vend_interpreter_free)

/* `version` is "3.11", "3.11.7" (another patch level is taken with a warning) or NULL. */
bool vend_interpreter_find (const VendBuildContext *context, const char *version,
                            VendInterpreter **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
