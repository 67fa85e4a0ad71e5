/* HOME of the models of an account: a folder that stays from instance to instance, for what they
 * download. It is a cache: when it is too large it is set aside, and the next instance begins with
 * an empty one. Several directors share it. Main context; blocks on the disk. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct VendHome VendHome;

/* Makes the folder `path` where there is none, for `owner`. One of another owner, which the model
 * could not use, is moved to `aside` first; that goes with the instance. */
bool vend_home_open (const char *path, const char *aside, uid_t owner, VendHome **out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_home_free (VendHome *home);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHome, vend_home_free)

/* The folder as it was opened, wherever it lies now. Valid while `home` is. */
const char *vend_home_folder (const VendHome *home);
/* Moves it to `aside`, unless another director has moved it. */
bool vend_home_set_aside (const VendHome *home, GError **error) G_GNUC_WARN_UNUSED_RESULT;
