/* The room in which an image is built: a sandbox of bubblewrap with a range of users of its own, so
 * that root in it is nobody outside, and with process, mount and IPC namespaces that end with their
 * first process: whoever kills the builder leaves files only. The network is the host's. Blocking;
 * one thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "build/child.h"

/* Paths in the room. */
#define VEND_ROOM_OWN "/room"
#define VEND_ROOM_INPUT "/input"
#define VEND_ROOM_BASE "/base"
#define VEND_ROOM_FOLDER "room" /* in the folder of a build */
#define VEND_ROOM_OUTPUT "/output"

typedef struct
{
  const char *dir;    /* its own folder, made by it */
  const char *input;  /* a folder of the server, shown read-only; or NULL */
  const char *base;   /* the same; or NULL */
  const char *output; /* a new folder of the server, for what the room makes; or NULL */
} VendImageRoomOptions;

typedef struct VendImageRoom VendImageRoom;

/* UNAVAILABLE says what is missing on this machine. */
bool vend_image_room_new (const VendImageRoomOptions *options, VendImageRoom **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_image_room_free (VendImageRoom *room);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendImageRoom, vend_image_room_free)

/* Starts `options->argv` in it, as its root; `options->env` is all that it gets beside HOME and
 * TMPDIR. */
bool vend_image_room_start (const VendImageRoom *room, const VendChildOptions *options,
                            VendChild **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the folder of a room, whoever its files belong to; a missing one is fine. */
bool vend_image_room_remove (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes the folder of a build, and the room in it. */
bool vend_image_room_remove_all (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether images can be built here, by trying it in `dir`; else `*out_why` says why not, and is
 * g_free'd. `*out_storage`: the storage driver that works, static. */
bool vend_image_room_probe (const char *dir, const char **out_storage, char **out_why);
