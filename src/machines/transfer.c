/* Contents on TLS connections. Blocking. */
#include "machines/transfer.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE ((gsize) 64 * 1024)
#define ENTRY_MAX ((gsize) 64 * 1024)
#define FILE_KEY "$vend.file"

/* ---- Bytes */

/* `sum` and `tick` may be NULL. */
static bool
send_bytes (VendTlsStream *stream, int fd, uint64_t size, GChecksum *sum, VendTransferTick tick,
            void *data, GError **error)
{
  g_autofree guint8 *piece = g_malloc (PIECE);
  while (size > 0)
    {
      const ssize_t n = read (fd, piece, (size_t) MIN (size, (uint64_t) PIECE));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read a file to send");
      if (n == 0)
        return vend_fail (error, VEND_ERROR_CONFLICT, "a file to send has become shorter");
      if (sum != NULL)
        g_checksum_update (sum, piece, n);
      if (!vend_tls_stream_write (stream, piece, (gsize) n, error))
        return false;
      size -= (uint64_t) n;
      if (tick != NULL)
        tick (data);
    }
  return true;
}

bool
vend_transfer_send_file (VendTlsStream *stream, int fd, uint64_t size, VendTransferTick tick,
                         void *data, GError **error)
{
  return send_bytes (stream, fd, size, NULL, tick, data, error);
}

static bool
receive_bytes (VendTlsStream *stream, int fd, uint64_t size, GChecksum *sum, GError **error)
{
  g_autofree guint8 *piece = g_malloc (PIECE);
  while (size > 0)
    {
      gsize n = 0;
      if (!vend_tls_stream_read (stream, piece, (gsize) MIN (size, (uint64_t) PIECE), &n, error))
        return false;
      if (n == 0)
        return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the other side has closed");
      if (!vend_fd_write_all (fd, piece, n, error))
        return false;
      g_checksum_update (sum, piece, (gssize) n);
      size -= n;
    }
  return true;
}

static bool
check_sum (GChecksum *sum, const char *sha256, GError **error)
{
  return g_strcmp0 (g_checksum_get_string (sum), sha256) == 0
         || vend_fail (error, VEND_ERROR_CONFLICT, "what came is not what was announced");
}

bool
vend_transfer_receive_file (VendTlsStream *stream, int fd, uint64_t size, const char *sha256,
                            GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  return receive_bytes (stream, fd, size, sum, error) && check_sum (sum, sha256, error);
}

/* ---- Folders: an entry frame for each, files with their bytes behind it, then an end with the
 * SHA-256 of all of that */

typedef struct
{
  VendTlsStream *stream;
  GChecksum *sum;
  GHashTable *folders; /* received */
} Tree;

static bool
send_entry (Tree *tree, const json_t *entry, GError **error)
{
  g_autofree char *text = vend_json_text (entry);
  g_checksum_update (tree->sum, (const guchar *) text, -1);
  return vend_exchange_send (tree->stream, entry, error);
}

static json_t *
entry_of (const char *type, const char *path, const struct stat *st)
{
  return json_pack ("{s:s, s:s, s:i, s:I, s:I}", "type", type, "path", path, "mode",
                    (int) (st->st_mode & 0777), "seconds", (json_int_t) st->st_mtim.tv_sec,
                    "nanoseconds", (json_int_t) st->st_mtim.tv_nsec);
}

static bool
send_plain (Tree *tree, int parent, const char *name, const char *path, GError **error)
{
  struct stat st;
  vend_autofd fd = openat (parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  json_auto_t *entry = entry_of ("file", path, &st);
  vend_json_set_int (entry, "size", st.st_size);
  return send_entry (tree, entry, error)
         && send_bytes (tree->stream, fd, (uint64_t) st.st_size, tree->sum, NULL, NULL, error);
}

static bool
send_link (Tree *tree, int parent, const char *name, const char *path, const struct stat *st,
           GError **error)
{
  char target[PATH_MAX];
  const ssize_t n = readlinkat (parent, name, target, sizeof target);
  if (n < 0 || (gsize) n == sizeof target)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read the link '%s'", path);
  json_auto_t *entry = entry_of ("link", path, st);
  g_autofree char *text = g_strndup (target, (gsize) n);
  vend_json_set_string (entry, "target", text);
  return send_entry (tree, entry, error);
}

static bool send_folder (Tree *tree, int parent, const char *name, const char *path,
                         GError **error);

static bool
send_one (Tree *tree, int parent, const char *name, const char *path, GError **error)
{
  struct stat st;
  if (fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", path);
  if (S_ISREG (st.st_mode))
    return send_plain (tree, parent, name, path, error);
  if (S_ISLNK (st.st_mode))
    return send_link (tree, parent, name, path, &st, error);
  if (!S_ISDIR (st.st_mode))
    return true;
  json_auto_t *entry = entry_of ("folder", path, &st);
  return send_entry (tree, entry, error) && send_folder (tree, parent, name, path, error);
}

static bool
send_folder (Tree *tree, int parent, const char *name, const char *path, GError **error)
{
  vend_autofd fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open the folder '%s'", path);
  g_autofree char *own = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GDir) listing = g_dir_open (own, 0, error);
  if (listing == NULL)
    return false;
  for (const char *child; (child = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *below
          = *path != '\0' ? g_strdup_printf ("%s/%s", path, child) : g_strdup (child);
      if (!send_one (tree, fd, child, below, error))
        return false;
    }
  return true;
}

static void
tree_clear (Tree *tree)
{
  g_clear_pointer (&tree->sum, g_checksum_free);
  g_clear_pointer (&tree->folders, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tree, tree_clear)

bool
vend_transfer_send_tree (VendTlsStream *stream, const char *dir, GError **error)
{
  g_auto (Tree) tree = { stream, g_checksum_new (G_CHECKSUM_SHA256), NULL };
  if (!send_folder (&tree, AT_FDCWD, dir, "", error))
    return false;
  json_auto_t *end
      = json_pack ("{s:s, s:s}", "type", "end", "sha256", g_checksum_get_string (tree.sum));
  return vend_exchange_send (stream, end, error);
}

/* A path in the folder, whose parent has come as a folder: nothing leads out by a link. */
static bool
is_inside (const Tree *tree, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    if (**part == '\0' || strcmp (*part, ".") == 0 || strcmp (*part, "..") == 0)
      return false;
  const char *slash = strrchr (path, '/');
  g_autofree char *parent = slash != NULL ? g_strndup (path, (gsize) (slash - path)) : NULL;
  return parts[0] != NULL && (parent == NULL || g_hash_table_contains (tree->folders, parent));
}

static bool
receive_plain (Tree *tree, int root, const char *path, const json_t *entry, GError **error)
{
  const mode_t mode = (mode_t) vend_json_int (entry, "mode", 0600) & 0777;
  const struct timespec times[2]
      = { { .tv_nsec = UTIME_NOW },
          { .tv_sec = (time_t) vend_json_int (entry, "seconds", 0),
            .tv_nsec = (long) CLAMP (vend_json_int (entry, "nanoseconds", 0), 0, 999999999) } };
  vend_autofd fd = openat (root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (!receive_bytes (tree->stream, fd, (uint64_t) MAX (vend_json_int (entry, "size", 0), 0),
                      tree->sum, error))
    return false;
  return (fchmod (fd, mode) == 0 && futimens (fd, times) == 0)
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write '%s'", path);
}

static bool
receive_one (Tree *tree, int root, const json_t *entry, GError **error)
{
  const char *type = vend_json_string (entry, "type");
  const char *path = vend_json_string (entry, "path");
  const char *target = vend_json_string (entry, "target");
  if (type == NULL || path == NULL || !is_inside (tree, path))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "a folder has an entry without a good path");
  if (strcmp (type, "file") == 0)
    return receive_plain (tree, root, path, entry, error);
  if (strcmp (type, "link") == 0 && target != NULL)
    return symlinkat (target, root, path) == 0
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "link '%s'", path);
  if (strcmp (type, "folder") != 0)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "a folder has an entry of no known type");
  if (mkdirat (root, path, 0700) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "make '%s'", path);
  g_hash_table_add (tree->folders, g_strdup (path));
  return true;
}

static bool
receive_entries (Tree *tree, int root, GError **error)
{
  for (;;)
    {
      json_auto_t *entry = NULL;
      if (!vend_exchange_receive (tree->stream, ENTRY_MAX, &entry, error))
        return false;
      if (g_strcmp0 (vend_json_string (entry, "type"), "end") == 0)
        return check_sum (tree->sum, vend_json_string (entry, "sha256"), error);
      g_autofree char *text = vend_json_text (entry);
      g_checksum_update (tree->sum, (const guchar *) text, -1);
      if (!receive_one (tree, root, entry, error))
        return false;
    }
}

bool
vend_transfer_receive_tree (VendTlsStream *stream, const char *dir, GError **error)
{
  g_auto (Tree) tree = { stream, g_checksum_new (G_CHECKSUM_SHA256),
                         g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  if (mkdir (dir, 0700) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "make '%s'", dir);
  vend_autofd root = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", dir);
  if (!receive_entries (&tree, root, error))
    return false;
  return syncfs (root) == 0 || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", dir);
}

/* ---- By who dials */

bool
vend_transfer_fetch_content (const VendDialer *dialer, const char *sha256, const char *path,
                             GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  json_auto_t *welcome = NULL;
  if (!vend_dialer_open (dialer, VEND_HELLO_CONTENT, json_pack ("{s:s}", "sha256", sha256), &stream,
                         &welcome, error))
    return false;
  vend_tls_stream_set_patience (stream, VEND_TRANSFER_PATIENCE_MS);
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  return vend_transfer_receive_file (
      stream, fd, (uint64_t) MAX (vend_json_int (welcome, "size", 0), 0), sha256, error);
}

bool
vend_transfer_fetch_tree (const VendDialer *dialer, const char *tree, const char *dir,
                          char **out_root, GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  json_auto_t *welcome = NULL;
  if (!vend_dialer_open (dialer, VEND_HELLO_TREE, json_pack ("{s:s}", "tree", tree), &stream,
                         &welcome, error))
    return false;
  vend_tls_stream_set_patience (stream, VEND_TRANSFER_PATIENCE_MS);
  const char *root = vend_json_string (welcome, "root");
  if (root == NULL)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "the control plane does not say its folder");
  if (!vend_transfer_receive_tree (stream, dir, error))
    return false;
  *out_root = g_strdup (root);
  return true;
}

/* ---- Output files */

typedef struct
{
  const VendDialer *dialer;
  const char *instance;
  VendTransferTick tick;
  void *data;
  GPtrArray *paths;
  GError *error;
} Bringing;

static bool
bring_file (const Bringing *bringing, const char *path, const json_t *file, char **out_path,
            GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  json_auto_t *welcome = NULL, *answer = NULL;
  g_autofree char *name = g_path_get_basename (path);
  const int64_t size = vend_json_int (file, "size", -1);
  vend_autofd fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (!vend_dialer_open (bringing->dialer, VEND_HELLO_OUTPUT,
                         json_pack ("{s:s, s:s, s:I, s:O}", "instance", bringing->instance, "name",
                                    name, "size", (json_int_t) size, "sha256",
                                    json_object_get (file, "sha256")),
                         &stream, &welcome, error))
    return false;
  vend_tls_stream_set_patience (stream, VEND_TRANSFER_PATIENCE_MS);
  if (vend_json_string (welcome, "path") == NULL
      && (!vend_transfer_send_file (stream, fd, (uint64_t) MAX (size, 0), bringing->tick,
                                    bringing->data, error)
          || !vend_exchange_receive (stream, ENTRY_MAX, &answer, error)))
    return false;
  const char *there = vend_json_string (answer != NULL ? answer : welcome, "path");
  if (there == NULL)
    return vend_fail (error, VEND_ERROR_CONFLICT, "the control plane did not take '%s'", name);
  *out_path = g_strdup (there);
  return true;
}

static void
bring_value (Bringing *bringing, json_t *value)
{
  json_t *file = json_object_get (value, FILE_KEY);
  const char *path = vend_json_string (file, "path");
  const char *key;
  json_t *item;
  size_t i;
  if (bringing->error != NULL)
    return;
  if (path != NULL && json_is_string (json_object_get (file, "sha256")))
    {
      g_autofree char *there = NULL;
      g_autofree char *here = g_strdup (path);
      g_autoptr (GError) error = NULL;
      if (bring_file (bringing, here, file, &there, &error))
        vend_json_set_string (file, "path", there);
      else if (g_error_matches (error, VEND_ERROR, VEND_ERROR_UNAVAILABLE)
               || g_error_matches (error, VEND_ERROR, VEND_ERROR_TIMEOUT))
        {
          bringing->error = g_steal_pointer (&error);
          return;
        }
      if (bringing->paths != NULL)
        g_ptr_array_add (bringing->paths, g_steal_pointer (&here));
    }
  else if (json_is_object (value))
    json_object_foreach (value, key, item)
      bring_value (bringing, item);
  else if (json_is_array (value))
    json_array_foreach (value, i, item)
      bring_value (bringing, item);
}

bool
vend_transfer_bring_outputs (const VendDialer *dialer, const char *instance, json_t *frame,
                             VendTransferTick tick, void *data, GPtrArray *out_paths,
                             GError **error)
{
  Bringing bringing = { dialer, instance, tick, data, out_paths, NULL };
  bring_value (&bringing, frame);
  if (bringing.error == NULL)
    return true;
  g_propagate_error (error, bringing.error);
  return false;
}

/* ---- By the control plane */

static bool
is_plain_name (const char *name)
{
  return name != NULL && *name != '\0' && *name != '.' && strchr (name, '/') == NULL
         && strlen (name) <= 255;
}

static bool
refuse (VendTlsStream *stream, const char *why, GError **error)
{
  json_auto_t *answer = json_pack ("{s:s, s:b}", "refused", why, "for_good", 1);
  return vend_exchange_send (stream, answer, error);
}

static bool
tell_path (VendTlsStream *stream, const char *path, GError **error)
{
  json_auto_t *answer = json_pack ("{s:b, s:s}", "welcome", 1, "path", path);
  return vend_exchange_send (stream, answer, error);
}

static bool
take_bytes (VendTlsStream *stream, const char *folder, const char *path, uint64_t size,
            const char *sha256, GError **error)
{
  g_autofree char *id = vend_id_new ();
  g_autofree char *name = g_strconcat (".", id, NULL);
  g_autofree char *part = g_build_filename (folder, name, NULL);
  vend_autofd fd = open (part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", part);
  bool good = vend_transfer_receive_file (stream, fd, size, sha256, error);
  if (good && (fsync (fd) < 0 || rename (part, path) < 0))
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write '%s'", path);
  if (!good)
    (void) unlink (part);
  return good && vend_dir_sync (folder, error);
}

bool
vend_transfer_take_output (VendTlsStream *stream, const json_t *hello, const char *folder,
                           uint64_t max_size, GError **error)
{
  const char *name = vend_json_string (hello, "name");
  const char *sha256 = vend_json_string (hello, "sha256");
  const int64_t size = vend_json_int (hello, "size", -1);
  struct stat st;
  if (!is_plain_name (name) || sha256 == NULL || !vend_is_sha256_hex (sha256) || size < 0)
    return refuse (stream, "an output file needs a name, a size and a checksum", error);
  if ((uint64_t) size > max_size)
    return refuse (stream, "an output file is longer than this server takes", error);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  /* Names are used once, and only whole files have them. */
  if (stat (path, &st) == 0 && st.st_size == size)
    return tell_path (stream, path, error);
  json_auto_t *go_on = json_pack ("{s:b}", "welcome", 1);
  return vend_dir_ensure (folder, error) && vend_exchange_send (stream, go_on, error)
         && take_bytes (stream, folder, path, (uint64_t) size, sha256, error)
         && tell_path (stream, path, error);
}
