/* How an image wants to be started, as its config says. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  char **argv; /* entry point and command */
  json_t *env; /* {NAME: value} */
  char *cwd;   /* absolute */
  char *user;  /* "", a name or a number, perhaps with a group behind ':' */
} VendImageConfig;

/* INVALID names the member. */
bool vend_image_config_parse (const char *text, gsize size, VendImageConfig **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_image_config_free (VendImageConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendImageConfig, vend_image_config_free)
