/* What Cog writes into the config of an image: its labels. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "model/model.h"

/* Schemas are part of it. */
#define VEND_IMAGE_CONFIG_BYTES (8 * 1024 * 1024)

/* The version that the labels describe; its ids and times are the caller's to set. NULL when the
 * image has no label of Cog, or is for another platform than linux/amd64: it is no version then.
 * INVALID when some label of Cog is there, and one that a version needs is missing or broken. */
bool vend_image_read (const char *config, gsize size, VendVersion **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
