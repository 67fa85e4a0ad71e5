/* Users of an image, by its /etc/passwd and /etc/group. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "image/root.h"

typedef struct
{
  uid_t uid;
  gid_t gid;
  char *home; /* "/" where the image does not say */
} VendImageUser;

/* `text` is User of a config: "" is root. INVALID when the image does not know it. */
bool vend_image_user_find (const VendRoot *root, const char *text, VendImageUser *out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
