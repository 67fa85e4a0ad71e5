/* Weights as models see them: hard links to contents of the file store. */
#include "files/weights.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "weights"
#define READ_ONLY 0444

static char *
folder_of (const char *blobs_dir, const char *sha256)
{
  return g_build_filename (blobs_dir, FOLDER, sha256, NULL);
}

char *
vend_weights_path (const char *blobs_dir, const VendWeights *weights)
{
  return g_build_filename (blobs_dir, FOLDER, weights->sha256, weights->name, NULL);
}

static bool
is_name (const char *name)
{
  return *name != '\0' && strchr (name, '/') == NULL && strcmp (name, ".") != 0
         && strcmp (name, "..") != 0;
}

static bool
link_to (const char *content, const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (!vend_dir_ensure (folder, error))
    return false;
  /* For those that no read-only mount keeps from it. */
  if (chmod (content, READ_ONLY) == 0 && (link (content, path) == 0 || errno == EEXIST))
    return true;
  return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "link the weights '%s'", path);
}

bool
vend_weights_place (VendBlobs *blobs, const VendWeights *weights, GError **error)
{
  g_autofree char *folder = folder_of (vend_blobs_dir (blobs), weights->sha256);
  if (!is_name (weights->name))
    return vend_fail (error, VEND_ERROR_INTERNAL, "'%s' is not a name of a file", weights->name);
  /* Their removal, which ends before this goes on, may have been under way. */
  if (!vend_blobs_hold (blobs, weights->sha256, error))
    return false;
  g_autofree char *content = vend_blobs_path (blobs, weights->sha256);
  const bool placed = vend_blobs_bring (blobs, weights->sha256, error)
                      && link_to (content, folder, weights->name, error);
  vend_blobs_let_go (blobs, weights->sha256);
  return placed;
}

bool
vend_weights_forget (const VendBlobs *blobs, const char *sha256, GError **error)
{
  g_autofree char *folder = folder_of (vend_blobs_dir (blobs), sha256);
  return vend_tree_remove (folder, error);
}
