/* What images are built on: the setting `image-base`. Blocks on disk and on the store. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "store/store.h"

#define VEND_IMAGE_BASES \
  "an image of a registry such as docker.io/library/python:{python}-slim, 'oci:FOLDER[:TAG]' or " \
  "'vend:owner/name[:TAG]'"

typedef enum
{
  VEND_IMAGE_BASE_REGISTRY, /* of another registry */
  VEND_IMAGE_BASE_FOLDER,   /* an image layout on this machine */
  VEND_IMAGE_BASE_OWN,      /* in the registry of this server */
} VendImageBaseKind;

typedef struct
{
  VendImageBaseKind kind;
  char *name; /* a reference, the folder, or owner/name */
  char *tag;  /* NULL: none was given */
} VendImageBase;

/* "{python}" becomes `python`. INVALID says what was expected. */
bool vend_image_base_parse (const char *text, const char *python, VendImageBase *out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_image_base_clear (VendImageBase *base);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendImageBase, vend_image_base_clear)

/* Writes the image layout of one in the registry of this server into the new folder `dir`. */
bool vend_image_base_lay_out (VendStore *store, const VendBlobs *blobs, const VendImageBase *base,
                              const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
