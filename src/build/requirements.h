/* Python requirements of a model, made ready for an installer: includes taken in, cog itself left
 * out (its version is ours), local paths absolute and inside the project. Pure apart from reading.
 */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_REQUIREMENTS_MAX_SIZE ((gsize) 1024 * 1024)

typedef struct
{
  GString *lines;       /* requirements, one a line */
  GString *options;     /* --index-url and the like, one a line */
  GString *constraints; /* what `-c` files hold */
  GPtrArray *dropped;   /* of char *: cog and coglet as they were asked for */
  GPtrArray *addresses; /* of char *: the URLs among them, for a check */
  GHashTable *hashes; /* name → " --hash=sha256:…", of packages that may only be these files */
  char *torch_build;  /* "cpu" or "cu121" of "torch==2.1.0+cpu"; or NULL */
  bool has_local;     /* whether the project's own files are among them */
} VendRequirements;

void vend_requirements_free (VendRequirements *requirements);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRequirements, vend_requirements_free)

/* `file` (relative to the project) may be NULL. Both may be given. An error names file and line. */
bool vend_requirements_read (const char *source_dir, const char *file, char **packages,
                             VendRequirements **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
