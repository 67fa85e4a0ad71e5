/* Options of commands that set how instances come and go: --idle-timeout, --on-demand and so on.
 * Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_SCALING_FLAGS_MAX 16

typedef struct
{
  char *texts[VEND_SCALING_FLAGS_MAX]; /* in the order of vend_scaling_infos; NULL: not given */
  GOptionEntry entries[VEND_SCALING_FLAGS_MAX + 1]; /* valid while this stays where it is */
} VendScalingFlags;

/* With `with_bounds` --min and --max are among them. */
void vend_scaling_flags_init (VendScalingFlags *flags, bool with_bounds);
void vend_scaling_flags_clear (VendScalingFlags *flags);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendScalingFlags, vend_scaling_flags_clear)

/* Sets the members of `body` that the options give; "default" becomes null. INVALID names the
 * option. */
bool vend_scaling_flags_read (const VendScalingFlags *flags, json_t *body, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* One member for people: "2.5s", "on", "3", or `otherwise` when it is null. Free with g_free. */
char *vend_scaling_shown (const json_t *object, guint member, const char *otherwise)
    G_GNUC_WARN_UNUSED_RESULT;
