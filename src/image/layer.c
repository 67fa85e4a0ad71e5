/* Entries of a layer's archive. Parents are resolved below the root by the kernel; the last part of
 * a name is never followed. */
#include "image/layer.h"
#include "base/error.h"
#include "base/fd.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize) 128 * 1024)
#define SHOWN_NAME 200
#define WHITEOUT ".wh."
#define SPECIAL_WHITEOUT ".wh..wh."
#define OPAQUE ".wh..wh..opq"

typedef struct archive VendArchive;
static void
archive_close (VendArchive *archive)
{
  archive_read_free (archive);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendArchive, archive_close)

typedef struct
{
  VendLayers *layers;
  VendArchive *archive; /* borrowed */
  GHashTable *made;     /* inodes that this layer has made, or named */
} Layer;

/* Where an entry goes. */
typedef struct
{
  int folder;
  const char *name; /* of its last part */
} Place;

static void
note_made (const Layer *layer, const Place *place)
{
  struct stat st;
  if (fstatat (place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    g_hash_table_add (layer->made, GSIZE_TO_POINTER (st.st_ino));
}

static bool
fail_here (GError **error, const char *what)
{
  return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "%s", what);
}

/* ---- Kinds of entries */

static bool
may_go_on (const VendLayers *layers, GError **error)
{
  if (g_cancellable_is_cancelled (layers->cancellable))
    return vend_fail (error, VEND_ERROR_CANCELED, "the server stops");
  return g_get_monotonic_time () < layers->deadline_us
         || vend_fail (error, VEND_ERROR_TIMEOUT,
                       "unpacking the image takes longer than image-unpack-timeout");
}

/* Counts as it writes: sizes in headers are words. */
static bool
write_content (Layer *layer, int fd, GError **error)
{
  VendLayers *layers = layer->layers;
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  for (;;)
    {
      const la_ssize_t n = archive_read_data (layer->archive, block, BLOCK_SIZE);
      if (n < 0)
        return vend_fail (error, VEND_ERROR_INVALID, "the layer is damaged: %s",
                          archive_error_string (layer->archive));
      if (n == 0)
        return true;
      if ((uint64_t) n > layers->max_bytes - layers->n_bytes)
        return vend_fail (error, VEND_ERROR_TOO_LARGE,
                          "the files of the image sum to more than %" G_GUINT64_FORMAT
                          " bytes (image-max-unpacked)",
                          layers->max_bytes);
      layers->n_bytes += (uint64_t) n;
      if (!may_go_on (layers, error) || !vend_fd_write_all (fd, block, (gsize) n, error))
        return false;
    }
}

static bool
add_file (Layer *layer, const Place *place, struct archive_entry *entry, GError **error)
{
  const mode_t mode = (archive_entry_perm (entry) & 0777) | 0600;
  const struct timespec times[2]
      = { { .tv_nsec = UTIME_OMIT },
          { .tv_sec = archive_entry_mtime (entry), .tv_nsec = archive_entry_mtime_nsec (entry) } };
  if (!vend_root_remove (place->folder, place->name, error))
    return false;
  vend_autofd fd = openat (place->folder, place->name,
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 || fchmod (fd, mode) < 0)
    return fail_here (error, "write a file of the image");
  if (!write_content (layer, fd, error))
    return false;
  (void) !futimens (fd, times); /* for caches that compare it */
  return true;
}

/* One that is there keeps what is in it. */
static bool
add_folder (const Place *place, struct archive_entry *entry, GError **error)
{
  const mode_t mode = (archive_entry_perm (entry) & 01777) | 0700;
  struct stat st;
  const bool is_there = fstatat (place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && !S_ISDIR (st.st_mode) && !vend_root_remove (place->folder, place->name, error))
    return false;
  if ((!is_there || !S_ISDIR (st.st_mode)) && mkdirat (place->folder, place->name, mode) < 0)
    return fail_here (error, "make a folder of the image");
  vend_autofd fd
      = openat (place->folder, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return (fd >= 0 && fchmod (fd, mode) == 0) || fail_here (error, "make a folder of the image");
}

/* It may lead anywhere: it is followed in the sandbox alone. */
static bool
add_link (const Place *place, const char *target, GError **error)
{
  if (target == NULL || *target == '\0')
    return vend_fail (error, VEND_ERROR_INVALID, "the symbolic link leads nowhere");
  return vend_root_remove (place->folder, place->name, error)
         && (symlinkat (target, place->folder, place->name) == 0
             || fail_here (error, "make a link of the image"));
}

static bool
add_hard_link (Layer *layer, const Place *place, const char *target, GError **error)
{
  g_auto (GStrv) parts = NULL;
  struct stat st;
  if (!vend_root_split (target, &parts, error))
    {
      g_prefix_error (error, "hard link: ");
      return false;
    }
  const gsize count = g_strv_length (parts);
  vend_autofd folder = -1;
  if (count == 0 || !vend_root_folder (&layer->layers->root, parts, count - 1, &folder, NULL)
      || fstatat (folder, parts[count - 1], &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR (st.st_mode))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "it is a hard link to something that is no file of the image");
  struct stat own;
  if (fstatat (place->folder, place->name, &own, AT_SYMLINK_NOFOLLOW) == 0
      && own.st_ino == st.st_ino)
    return true;
  return vend_root_remove (place->folder, place->name, error)
         && (linkat (folder, parts[count - 1], place->folder, place->name, 0) == 0
             || fail_here (error, "make a hard link of the image"));
}

/* ---- Whiteouts */

static bool
is_of_this_layer (ino_t inode, void *data)
{
  return g_hash_table_contains (data, GSIZE_TO_POINTER (inode));
}

static bool
apply_whiteout (const Layer *layer, const Place *place, GError **error)
{
  const char *hidden = place->name + strlen (WHITEOUT);
  if (strcmp (place->name, OPAQUE) == 0)
    return vend_root_empty (place->folder, is_of_this_layer, layer->made, error);
  /* Others of that kind are notes of an old file system to itself. */
  if (g_str_has_prefix (place->name, SPECIAL_WHITEOUT))
    return true;
  if (*hidden == '\0' || strcmp (hidden, ".") == 0 || strcmp (hidden, "..") == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "the whiteout names no file");
  return vend_root_remove (place->folder, hidden, error);
}

/* ---- An entry */

/* The sandbox has devices of its own there, so those of an image are left out. */
static bool
is_below_dev (char *const *parts)
{
  return parts[0] != NULL && strcmp (parts[0], "dev") == 0;
}

static bool
add_by_type (Layer *layer, const Place *place, struct archive_entry *entry, GError **error)
{
  const char *hard = archive_entry_hardlink (entry);
  if (hard == NULL)
    hard = archive_entry_hardlink_utf8 (entry);
  if (hard != NULL)
    return add_hard_link (layer, place, hard, error);
  switch (archive_entry_filetype (entry))
    {
    case AE_IFREG:
      return add_file (layer, place, entry, error);
    case AE_IFDIR:
      return add_folder (place, entry, error);
    case AE_IFLNK:
      {
        const char *target = archive_entry_symlink (entry);
        return add_link (place, target != NULL ? target : archive_entry_symlink_utf8 (entry),
                         error);
      }
    default:
      return vend_fail (error, VEND_ERROR_INVALID,
                        "it is a device, a pipe or a socket; images have files, folders and links");
    }
}

static bool
apply_entry (Layer *layer, struct archive_entry *entry, const char *name, GError **error)
{
  g_auto (GStrv) parts = NULL;
  if (!may_go_on (layer->layers, error) || !vend_root_split (name, &parts, error))
    return false;
  const gsize count = g_strv_length (parts);
  const mode_t type = archive_entry_filetype (entry);
  if (count == 0)
    return type == AE_IFDIR
           || vend_fail (error, VEND_ERROR_INVALID, "it takes the place of the root");
  if (is_below_dev (parts) && type != AE_IFDIR)
    return true;
  vend_autofd folder = -1;
  if (!vend_root_folder (&layer->layers->root, parts, count - 1, &folder, error))
    return false;
  const Place place = { folder, parts[count - 1] };
  if (g_str_has_prefix (place.name, WHITEOUT))
    return apply_whiteout (layer, &place, error);
  if (!vend_root_count (&layer->layers->root, error) || !add_by_type (layer, &place, entry, error))
    return false;
  note_made (layer, &place);
  return true;
}

static const char *
name_of (struct archive_entry *entry)
{
  const char *name = archive_entry_pathname (entry);
  return name != NULL ? name : archive_entry_pathname_utf8 (entry);
}

static bool
apply_all (Layer *layer, GError **error)
{
  for (;;)
    {
      struct archive_entry *entry = NULL;
      const int status = archive_read_next_header (layer->archive, &entry);
      if (status == ARCHIVE_EOF)
        return true;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
        return vend_fail (error, VEND_ERROR_INVALID, "the layer is no readable tar file: %s",
                          archive_error_string (layer->archive));
      const char *name = name_of (entry);
      if (name == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "the layer has a name that is not UTF-8");
      if (apply_entry (layer, entry, name, error))
        continue;
      g_autofree char *shown = g_strescape (name, NULL);
      g_prefix_error (error, "'%.*s': ", SHOWN_NAME, shown);
      return false;
    }
}

static bool
open_archive (int fd, VendArchive **out, GError **error)
{
  g_autoptr (VendArchive) archive = archive_read_new ();
  g_assert (archive != NULL);
  archive_read_support_filter_gzip (archive);
  archive_read_support_filter_zstd (archive);
  archive_read_support_format_tar (archive);
  archive_read_support_format_empty (archive);
  if (archive_read_open_fd (archive, fd, BLOCK_SIZE) != ARCHIVE_OK)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the layer is no tar file, plain or by gzip or zstd: %s",
                      archive_error_string (archive));
  *out = g_steal_pointer (&archive);
  return true;
}

bool
vend_layer_apply (VendLayers *layers, int fd, GError **error)
{
  g_autoptr (VendArchive) archive = NULL;
  if (!open_archive (fd, &archive, error))
    return false;
  /* libarchive turns names that are marked as UTF-8 into the charset of the locale. */
  locale_t utf8 = newlocale (LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
  locale_t before = utf8 != (locale_t) 0 ? uselocale (utf8) : (locale_t) 0;
  Layer layer = { layers, archive, g_hash_table_new (NULL, NULL) };
  const bool good = apply_all (&layer, error);
  g_hash_table_unref (layer.made);
  if (utf8 != (locale_t) 0)
    {
      uselocale (before);
      freelocale (utf8);
    }
  return good;
}
