/* Patterns of files that a push leaves out. Pure; any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_IGNORE_MAX_SIZE (256 * 1024)
#define VEND_IGNORE_MAX_RULES 4096

/* The two differ in one thing: a pattern without a slash, "data", is for the top folder only in a
 * .dockerignore, and for any depth in a .cogignore, as in a .gitignore. */
typedef enum
{
  VEND_IGNORE_DOCKER,
  VEND_IGNORE_GIT,
} VendIgnoreStyle;

typedef struct VendIgnore VendIgnore;

/* One pattern a line; rules after VEND_IGNORE_MAX_RULES make it TOO_LARGE. No line is malformed:
 * what has no meaning as a pattern stands for itself. */
bool vend_ignore_parse (const char *text, VendIgnoreStyle style, VendIgnore **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_ignore_free (VendIgnore *ignore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendIgnore, vend_ignore_free)

/* Whether `path`, relative and without "./", is left out. A pattern that names a folder is also for
 * all in it; the last pattern that matches decides. */
bool vend_ignore_matches (const VendIgnore *ignore, const char *path, bool is_dir);

/* Whether something inside a folder that is left out may be let in again by a "!" pattern. */
bool vend_ignore_has_exceptions (const VendIgnore *ignore);
