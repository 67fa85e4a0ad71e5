/* A room: a sandbox whose first process stays while there are others in it. A zygote lives there,
 * and the sandboxes of what is forked from it are nested in it, since only what is in a descendant
 * of a process's own namespaces can be entered by its forks. All in a room are of one user.
 *
 * It ends, and with it all that is nested in it, once nobody holds its life any more: the server
 * while it wants the zygote, each director while its instance lives, and a room that is nested in
 * it. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct VendRoom VendRoom;

/* Makes the FIFO `path`. `*out_held` keeps the room alive; `*out_inner` is for
 * VendSandboxOptions.life. */
bool vend_room_life_new (const char *path, int *out_held, int *out_inner, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Holds the life at `path` of the room whose first process is `first`. */
bool vend_room_open (const char *path, pid_t first, VendRoom **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Holds it no longer. */
void vend_room_free (VendRoom *room);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRoom, vend_room_free)
bool vend_room_has_ended (const VendRoom *room);
/* What holds it, for a room that is nested in there. Borrowed. */
int vend_room_life (const VendRoom *room);

/* ---- Between fork and exec: system calls only */

/* Goes on in a child that is in the room's process namespace; the caller itself stays as a program
 * that ends as the child does, and closes what it has. */
bool vend_room_join (const VendRoom *room);
/* Shows the processes of the room at /proc. In a mount namespace of its own, before the user is
 * taken. */
bool vend_room_show (const VendRoom *room);
/* Takes the rights of the room's user there: what is made from now on is nested in it. */
bool vend_room_enter (const VendRoom *room);
