/* Packs a source tree for a push: lists it, sorts the list, then writes the archive and hashes what
 * is written. Everything is opened part by part without following links. Blocks on disk. */
#include "build/pack.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/ignore.h"
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 64
/* Links to folders that hold links to folders can make a small tree endless. */
#define MAX_ENTRIES 1000000
#define EXTRAS_ROOT ".vend" /* their paths begin with it */
#define CHUNK_SIZE (256 * 1024)
/* Names as the bytes they are: a conversion would depend on the locale of whoever packs. */
#define OPTIONS "gzip:!timestamp,gzip:compression-level=6,pax:hdrcharset=BINARY"
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

typedef struct Tree Tree;

typedef struct
{
  const Tree *tree;
  char *path;   /* in the archive */
  char *source; /* in the tree, without links on the way; differs when a link led here */
  bool is_dir;
  bool is_executable;
  uint64_t size;
} Entry;

struct Tree
{
  const char *dir;
  const VendPackExtra *extra;  /* it is this one; NULL: the project */
  const VendPackExtra *extras; /* of the project */
  gsize n_extras;
  char *real_dir; /* `dir` without links */
  int dir_fd;
  VendIgnore *ignore;
  uint64_t max_bytes;
  GPtrArray *entries;
  uint64_t n_files;
  uint64_t size;
};

typedef struct
{
  int fd;
  const char *path;
  EVP_MD_CTX *hash;
  uint64_t size;
  bool is_given_up;
  GError *error; /* the first one */
} Output;

typedef struct archive Archive;
typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Archive, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveEntry, archive_entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DIR, closedir)

static bool walk (Tree *tree, const char *path, const char *source, guint depth, GError **error);

static void
entry_free (Entry *entry)
{
  g_free (entry->path);
  g_free (entry->source);
  g_free (entry);
}

static void
tree_clear (Tree *tree)
{
  vend_fd_clear (&tree->dir_fd);
  g_clear_pointer (&tree->real_dir, g_free);
  g_clear_pointer (&tree->ignore, vend_ignore_free);
  g_clear_pointer (&tree->entries, g_ptr_array_unref);
}

/* `source` is "" for the tree itself. No part of it may be a link. */
static bool
open_inside (const Tree *tree, const char *source, int *out_fd, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (source, "/", -1);
  vend_autofd fd = openat (tree->dir_fd, ".", OPEN_FLAGS | O_DIRECTORY);
  for (gsize i = 0; fd >= 0 && parts[i] != NULL; i++)
    {
      int next = openat (fd, parts[i], OPEN_FLAGS | (parts[i + 1] != NULL ? O_DIRECTORY : 0));
      int saved_errno = errno;
      vend_fd_clear (&fd);
      fd = next;
      errno = saved_errno;
    }
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "open '%s'",
                            source[0] == '\0' ? tree->dir : source);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

static bool
is_never_packed (const Tree *tree, const char *folder, const char *name)
{
  static const char *const never[] = { ".git", ".cog", "__pycache__", NULL };
  return g_strv_contains (never, name)
         || (tree->extra == NULL && *folder == '\0' && strcmp (name, EXTRAS_ROOT) == 0);
}

/* It is packed as an extra. */
static bool
is_extra (const Tree *tree, const char *path)
{
  for (gsize i = 0; i < tree->n_extras; i++)
    if (g_strcmp0 (tree->extras[i].inside, path) == 0)
      return true;
  return false;
}

static bool
is_wanted (const Tree *tree, const char *path, bool is_dir)
{
  const VendPackExtra *extra = tree->extra;
  return extra == NULL || (!is_dir && (extra->wants == NULL || extra->wants (path, extra->data)));
}

static bool
is_ignored (const Tree *tree, const char *path, bool is_dir)
{
  return tree->ignore != NULL && vend_ignore_matches (tree->ignore, path, is_dir);
}

static bool
add_entry (Tree *tree, const char *path, const char *source, const struct stat *status,
           GError **error)
{
  bool is_dir = S_ISDIR (status->st_mode);
  uint64_t size = is_dir ? 0 : (uint64_t) status->st_size;
  if (!is_wanted (tree, path, is_dir))
    return true;
  if (tree->entries->len >= MAX_ENTRIES)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "'%s' has more than %d files", tree->dir,
                      MAX_ENTRIES);
  if (size > tree->max_bytes - tree->size)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "'%s' is larger than %" G_GUINT64_FORMAT
                      " bytes, reached at '%s'; leave files out with .cogignore",
                      tree->dir, tree->max_bytes, path);
  Entry *entry = g_new0 (Entry, 1);
  entry->tree = tree;
  entry->path
      = tree->extra != NULL ? g_build_filename (tree->extra->path, path, NULL) : g_strdup (path);
  entry->source = g_strdup (source);
  entry->is_dir = is_dir;
  entry->is_executable = (status->st_mode & S_IXUSR) != 0;
  entry->size = size;
  g_ptr_array_add (tree->entries, entry);
  tree->size += size;
  tree->n_files += is_dir ? 0 : 1;
  return true;
}

/* Where the link at `source` ends, as a path in the tree. */
static bool
resolve_link (const Tree *tree, const char *path, const char *source, char **out, GError **error)
{
  char target[PATH_MAX];
  g_autofree char *full = g_build_filename (tree->real_dir, source, NULL);
  if (realpath (full, target) == NULL)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "link '%s'", path);
  /* A root folder of "/" ends in the slash that the others lack. */
  gsize length = strcmp (tree->real_dir, "/") == 0 ? 0 : strlen (tree->real_dir);
  if (strncmp (target, tree->real_dir, length) != 0 || target[length] != '/')
    return vend_fail (error, VEND_ERROR_INVALID, "link '%s' leads out of the folder or to its top",
                      path);
  const char *inside = target + length + 1;
  gsize inside_length = strlen (inside);
  if (strncmp (source, inside, inside_length) == 0 && source[inside_length] == '/')
    return vend_fail (error, VEND_ERROR_INVALID, "link '%s' leads to a folder that it lies in",
                      path);
  *out = g_strdup (inside);
  return true;
}

static bool
add_path (Tree *tree, const char *path, const char *source, guint depth, GError **error)
{
  struct stat status;
  if (!g_utf8_validate (path, -1, NULL))
    {
      g_autofree char *shown = g_strescape (path, NULL);
      return vend_fail (error, VEND_ERROR_INVALID, "the name '%s' is not UTF-8", shown);
    }
  if (fstatat (tree->dir_fd, source, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "look at '%s'", path);

  bool is_dir = S_ISDIR (status.st_mode);
  if (is_extra (tree, path))
    return true;
  bool ignored = is_ignored (tree, path, is_dir);
  if (S_ISLNK (status.st_mode))
    {
      g_autofree char *target = NULL;
      /* Also the patterns that end in a slash: people mean links to folders with them. */
      if (ignored || is_ignored (tree, path, true))
        return true;
      if (!resolve_link (tree, path, source, &target, error))
        return false;
      return add_path (tree, path, target, depth, error);
    }
  if (is_dir)
    {
      if (ignored && !vend_ignore_has_exceptions (tree->ignore))
        return true;
      if (!ignored && !add_entry (tree, path, source, &status, error))
        return false;
      return walk (tree, path, source, depth + 1, error);
    }
  if (ignored)
    return true;
  if (!S_ISREG (status.st_mode))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is a socket, pipe or device, which cannot be packed", path);
  return add_entry (tree, path, source, &status, error);
}

static bool
walk (Tree *tree, const char *path, const char *source, guint depth, GError **error)
{
  vend_autofd fd = -1;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (depth > MAX_DEPTH)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is more than %d folders deep, or its links lead to each other", path,
                      MAX_DEPTH);
  if (!open_inside (tree, source, &fd, error))
    return false;
  g_autoptr (DIR) stream = fdopendir (fd);
  if (stream == NULL)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "list '%s'", path);
  vend_fd_steal (&fd);

  errno = 0;
  for (struct dirent *item = readdir (stream); item != NULL; item = readdir (stream))
    if (strcmp (item->d_name, ".") != 0 && strcmp (item->d_name, "..") != 0
        && !is_never_packed (tree, path, item->d_name))
      g_ptr_array_add (names, g_strdup (item->d_name));
  if (errno != 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "list '%s'", path);
  g_clear_pointer (&stream, closedir);

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *child
          = path[0] == '\0' ? g_strdup (name) : g_strconcat (path, "/", name, NULL);
      g_autofree char *child_source
          = source[0] == '\0' ? g_strdup (name) : g_strconcat (source, "/", name, NULL);
      if (!add_path (tree, child, child_source, depth, error))
        return false;
    }
  return true;
}

static bool
load_ignore (Tree *tree, GError **error)
{
  static const struct
  {
    const char *name;
    VendIgnoreStyle style;
  } files[] = {
    { ".cogignore", VEND_IGNORE_GIT },
    { ".dockerignore", VEND_IGNORE_DOCKER },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *text = NULL;
      g_autofree char *path = g_build_filename (tree->dir, files[i].name, NULL);
      g_autoptr (GError) failure = NULL;
      if (vend_file_read (path, VEND_IGNORE_MAX_SIZE, &text, NULL, &failure))
        {
          bool parsed = vend_ignore_parse (text, files[i].style, &tree->ignore, error);
          if (!parsed)
            g_prefix_error (error, "'%s': ", path);
          return parsed;
        }
      if (!g_error_matches (failure, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return false;
        }
    }
  return true;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *const *first = a;
  const Entry *const *second = b;
  return strcmp ((*first)->path, (*second)->path);
}

static bool
list_tree (Tree *tree, GError **error)
{
  char real_dir[PATH_MAX];
  tree->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  if (realpath (tree->dir, real_dir) == NULL)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "open '%s'", tree->dir);
  tree->real_dir = g_strdup (real_dir);
  tree->dir_fd = open (real_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tree->dir_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "open '%s'", tree->dir);
  if (tree->extra != NULL && tree->extra->file != NULL)
    return add_path (tree, tree->extra->file, tree->extra->file, 0, error);
  return (tree->extra != NULL || load_ignore (tree, error)) && walk (tree, "", "", 0, error);
}

/* Never fails in the eyes of libarchive, which would then not free its compressor. */
static la_ssize_t
output_write (struct archive *archive, void *data, const void *bytes, size_t size)
{
  Output *output = data;
  if (output->is_given_up || output->error != NULL)
    return (la_ssize_t) size;
  if (vend_fd_write_all (output->fd, bytes, size, &output->error))
    {
      EVP_DigestUpdate (output->hash, bytes, size);
      output->size += size;
    }
  return (la_ssize_t) size;
}

static bool
archive_fail (Output *output, Archive *archive, const char *what, GError **error)
{
  const char *text = archive_error_string (archive);
  if (output->error == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "pack '%s': %s", what,
                      text != NULL ? text : "unknown error");
  g_propagate_prefixed_error (error, g_steal_pointer (&output->error), "'%s': ", output->path);
  return false;
}

/* The header is out by now, so the file must have just as many bytes as it says. */
static bool
write_content (int fd, Output *output, Archive *archive, const Entry *entry, guint8 *chunk,
               GError **error)
{
  uint64_t done = 0;
  for (;;)
    {
      ssize_t n = read (fd, chunk, CHUNK_SIZE);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "read '%s'", entry->path);
      done += (uint64_t) n;
      if (done > entry->size || (n == 0 && done < entry->size))
        return vend_fail (error, VEND_ERROR_CONFLICT, "'%s' changed while it was packed",
                          entry->path);
      if (n == 0)
        return true;
      if (archive_write_data (archive, chunk, (size_t) n) != n || output->error != NULL)
        return archive_fail (output, archive, entry->path, error);
    }
}

static bool
write_entry (Output *output, Archive *archive, const Entry *entry, guint8 *chunk, GError **error)
{
  g_autoptr (ArchiveEntry) header = archive_entry_new ();
  vend_autofd fd = -1;
  if (!entry->is_dir && !open_inside (entry->tree, entry->source, &fd, error))
    return false;
  archive_entry_set_pathname (header, entry->path);
  archive_entry_set_filetype (header, entry->is_dir ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm (header, entry->is_dir || entry->is_executable ? 0755 : 0644);
  archive_entry_set_size (header, (la_int64_t) entry->size);
  archive_entry_set_mtime (header, 0, 0);
  archive_entry_set_uid (header, 0);
  archive_entry_set_gid (header, 0);
  /* A warning would mean that a name was changed on its way. */
  if (archive_write_header (archive, header) != ARCHIVE_OK || output->error != NULL)
    return archive_fail (output, archive, entry->path, error);
  return entry->is_dir || write_content (fd, output, archive, entry, chunk, error);
}

static bool
write_archive (const Tree *tree, Output *output, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  g_autoptr (Archive) archive = archive_write_new ();
  if (archive_write_set_format_pax_restricted (archive) != ARCHIVE_OK
      || archive_write_add_filter_gzip (archive) != ARCHIVE_OK
      || archive_write_set_options (archive, OPTIONS) != ARCHIVE_OK
      || archive_write_set_bytes_in_last_block (archive, 1) != ARCHIVE_OK
      || archive_write_open (archive, output, NULL, output_write, NULL) != ARCHIVE_OK)
    return archive_fail (output, archive, output->path, error);
  for (guint i = 0; i < tree->entries->len; i++)
    if (!write_entry (output, archive, g_ptr_array_index (tree->entries, i), chunk, error))
      {
        output->is_given_up = true;
        return false;
      }
  if (archive_write_close (archive) != ARCHIVE_OK || output->error != NULL)
    return archive_fail (output, archive, output->path, error);
  return true;
}

static void
fill_info (const Tree *tree, Output *output, VendPackInfo *out)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (output->hash, digest, &size);
  for (guint i = 0; i < 32; i++)
    g_snprintf (out->sha256 + 2 * i, 3, "%02x", digest[i]);
  out->size = output->size;
  out->n_files = tree->n_files;
  out->unpacked_size = tree->size;
}

/* Everything that is packed, in one order; the trees stay, since the files are opened in them. */
static bool
list_all (Tree *trees, gsize n_trees, GError **error)
{
  for (gsize i = 0; i < n_trees; i++)
    {
      trees[i].max_bytes -= i > 0 ? trees[0].size : 0;
      if (!list_tree (&trees[i], error))
        return false;
      if (i == 0)
        continue;
      trees[0].size += trees[i].size;
      trees[0].n_files += trees[i].n_files;
      g_ptr_array_extend_and_steal (trees[0].entries, g_steal_pointer (&trees[i].entries));
    }
  g_ptr_array_sort (trees[0].entries, compare_entries);
  return true;
}

static bool
pack_trees (const Tree *tree, const char *archive, VendPackInfo *out, GError **error)
{
  g_autofree char *temporary = g_strconcat (archive, ".XXXXXX", NULL);
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  vend_autofd fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", temporary);

  Output output = { .fd = fd, .path = archive, .hash = hash };
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  bool written = write_archive (tree, &output, error);
  if (written && rename (temporary, archive) < 0)
    written = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", archive);
  g_clear_error (&output.error);
  if (written)
    fill_info (tree, &output, out);
  else
    unlink (temporary);
  return written;
}

bool
vend_pack_tree_and (const char *dir, const VendPackExtra *extras, gsize n_extras,
                    const char *archive, uint64_t max_bytes, VendPackInfo *out, GError **error)
{
  g_autofree Tree *trees = g_new0 (Tree, n_extras + 1);
  trees[0] = (Tree){
    .dir = dir, .extras = extras, .n_extras = n_extras, .dir_fd = -1, .max_bytes = max_bytes
  };
  for (gsize i = 0; i < n_extras; i++)
    trees[i + 1]
        = (Tree){ .dir = extras[i].dir, .extra = &extras[i], .dir_fd = -1, .max_bytes = max_bytes };
  const bool good
      = list_all (trees, n_extras + 1, error) && pack_trees (trees, archive, out, error);
  for (gsize i = 0; i <= n_extras; i++)
    tree_clear (&trees[i]);
  return good;
}

bool
vend_pack_tree (const char *dir, const char *archive, uint64_t max_bytes, VendPackInfo *out,
                GError **error)
{
  return vend_pack_tree_and (dir, NULL, 0, archive, max_bytes, out, error);
}
