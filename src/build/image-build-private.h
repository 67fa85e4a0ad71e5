/* Shared by image-build.c and image-packages.c. */
#pragma once
#include "build/image-build.h"
#include "build/image-room.h"

#define VEND_IMAGE_SOURCE "/src"
#define VEND_IMAGE_WORK "/run/vend-build" /* the builder's work folder, while a command runs */

struct VendImageBuild
{
  const VendBuildContext *context;
  const VendCogYaml *yaml;
  char *room_dir;
  char *base_dir; /* a layout on this machine; NULL: the base is fetched */
  char *base;     /* as buildah names it */
  VendImageRoom *room;
  const char *storage; /* driver */
  char **env;          /* of buildah */
  char **run_env;      /* "NAME=value", of commands in the image beside the image's own */
  char *freeze;
};

/* Runs one of buildah's commands. `out_output` (or NULL) gets standard output, else the log does.
 */
bool vend_image_buildah (VendImageBuild *build, const char *const *words, const char *what,
                         char **out_output, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs a command in the image, as its root; `extra` (or NULL) is "NAME=value" for it alone. */
bool vend_image_run (VendImageBuild *build, const char *const *argv, const char *const *extra,
                     const char *what, char **out_output, GError **error) G_GNUC_WARN_UNUSED_RESULT;
