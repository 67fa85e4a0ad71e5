/* The users in the room of an image: a range of numbers that are nobody's outside. Where the server
 * is root it is one that nothing else uses; else root in the room is the server's user, and the
 * others are from /etc/subuid and /etc/subgid. Blocking. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct VendImageUsers VendImageUsers;

/* UNAVAILABLE says what the machine lacks, and how it gets it. */
bool vend_image_users_new (VendImageUsers **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_image_users_free (VendImageUsers *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendImageUsers, vend_image_users_free)

/* False where root in the room is the server's user. */
bool vend_image_users_are_others (const VendImageUsers *users);
/* Root in the room, as the host knows it. */
uid_t vend_image_users_root (const VendImageUsers *users);
/* The folder becomes that of root in the room. */
bool vend_image_users_give (const VendImageUsers *users, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Gives the user namespace of the process its users. */
bool vend_image_users_map (const VendImageUsers *users, pid_t first, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
