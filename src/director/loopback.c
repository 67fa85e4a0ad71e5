/* The model's way in and out on loopback. Handlers run on HTTP threads and only pass the call on;
 * everything else here runs on the main context. */
#include "director/loopback.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "files/file-name.h"
#include "director/output.h"
#include "httpd/httpd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_LENGTH 40
#define HTTP_THREADS 2
#define MAX_CONNECTIONS 256
#define IDLE_TIMEOUT_S 3600           /* the model may read an input slowly */
#define MAX_HOOK ((uint64_t) 4 << 30) /* a snapshot repeats all logs; it goes to disk */
#define MAX_UPLOADS 100000            /* of one instance that nobody claimed */

typedef struct
{
  char *cog_id; /* NULL: the server did not say */
  char *path;
  char *name;
  char *type;
  char *sha256;
  uint64_t size;
  bool claimed;
} Upload;

typedef struct
{
  char *cog_id;
  char *path;
  char *type;
} Input;

struct VendLoopback
{
  VendHttpd *httpd;        /* NULL: nothing was asked of it yet */
  VendLoopbackPlace place; /* port 0: this process's own network */
  bool has_entered;
  bool is_wanted;
  char *spool;
  char *outputs;
  uint64_t max_output_file;
  char *url;
  char *token;
  VendLoopbackHook hook;
  void *data;
  GHashTable *uploads; /* address -> Upload */
  GHashTable *inputs;  /* "<cog id>/<n>" -> Input */
  guint64 next_upload;
  guint64 next_input;
};

static void
upload_free (void *data)
{
  Upload *upload = data;
  if (!upload->claimed)
    unlink (upload->path);
  g_free (upload->cog_id);
  g_free (upload->path);
  g_free (upload->name);
  g_free (upload->type);
  g_free (upload->sha256);
  g_free (upload);
}

static void
input_free (void *data)
{
  Input *input = data;
  g_free (input->cog_id);
  g_free (input->path);
  g_free (input->type);
  g_free (input);
}

/* ---- From an HTTP thread to the main context. */

typedef struct
{
  VendCall *call;
  VendLoopback *loopback;
  VendReply *(*answer) (VendLoopback *loopback, VendCall *call);
} Passed;

static gboolean
answer_passed (void *user_data)
{
  Passed *passed = user_data;
  vend_call_reply (passed->call, passed->answer (passed->loopback, passed->call));
  return G_SOURCE_REMOVE;
}

static void
pass_on (VendLoopback *loopback, VendCall *call,
         VendReply *(*answer) (VendLoopback *loopback, VendCall *call))
{
  Passed *passed = g_new0 (Passed, 1);
  passed->call = call;
  passed->loopback = loopback;
  passed->answer = answer;
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, answer_passed, passed, g_free);
}

/* ---- Uploads. */

static VendReply *
refuse (int status, const char *text)
{
  return vend_reply_new (status, "text/plain", text, strlen (text));
}

static VendReply *
answer_upload (VendLoopback *loopback, VendCall *call)
{
  const VendPart *part = vend_call_part (call, "");
  if (part == NULL)
    return refuse (400, "no body");
  if (g_hash_table_size (loopback->uploads) >= MAX_UPLOADS)
    return refuse (507, "too many files");

  const guint64 n = loopback->next_upload++;
  g_autofree char *disk_name = g_strdup_printf ("up.%" G_GUINT64_FORMAT, n);
  g_autofree char *path = g_build_filename (loopback->outputs, disk_name, NULL);
  const uint64_t size = part->size;
  g_autofree char *sha256 = g_strdup (part->sha256);
  g_autofree char *spooled = vend_part_take_path (call, part);
  if (spooled == NULL || rename (spooled, path) < 0)
    {
      vend_log (VEND_LOG_ERROR, "output file not kept", "path", path, "error", g_strerror (errno),
                NULL);
      if (spooled != NULL)
        unlink (spooled);
      return refuse (500, "the file could not be kept");
    }

  Upload *upload = g_new0 (Upload, 1);
  upload->cog_id = g_strdup (vend_call_header (call, "x-prediction-id"));
  upload->path = g_steal_pointer (&path);
  upload->name = vend_file_name_clean (vend_call_param (call, "name"));
  const char *type = vend_call_header (call, "content-type");
  upload->type = g_strdup (type != NULL ? type : vend_file_type (upload->name));
  upload->size = size;
  upload->sha256 = g_steal_pointer (&sha256);
  char *address = g_strdup_printf ("%s/out/%" G_GUINT64_FORMAT, loopback->url, n);
  VendReply *reply = vend_reply_empty (201);
  vend_reply_header (reply, "Location", address);
  g_hash_table_insert (loopback->uploads, address, upload);
  return reply;
}

static void
handle_upload (VendCall *call, void *context)
{
  pass_on (context, call, answer_upload);
}

json_t *
vend_loopback_claim (VendLoopback *loopback, const char *cog_id, const char *text)
{
  if (loopback->url == NULL || !g_str_has_prefix (text, loopback->url))
    return NULL;
  Upload *upload = g_hash_table_lookup (loopback->uploads, text);
  if (upload == NULL || (upload->cog_id != NULL && strcmp (upload->cog_id, cog_id) != 0))
    return NULL;
  if (upload->cog_id == NULL)
    upload->cog_id = g_strdup (cog_id);
  upload->claimed = true;
  return vend_output_file_new (upload->path, upload->name, upload->type, upload->size,
                               upload->sha256);
}

/* ---- Inputs. */

static VendReply *
answer_input (VendLoopback *loopback, VendCall *call)
{
  g_autofree char *key
      = g_strconcat (vend_call_param (call, "run"), "/", vend_call_param (call, "n"), NULL);
  const Input *input = g_hash_table_lookup (loopback->inputs, key);
  if (input == NULL)
    return refuse (404, "no such input");
  vend_autofd fd = open (input->path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    return refuse (404, "the input file is gone");
  return vend_reply_file (vend_fd_steal (&fd), (uint64_t) st.st_size, input->type, NULL);
}

static void
handle_input (VendCall *call, void *context)
{
  pass_on (context, call, answer_input);
}

char *
vend_loopback_add_input (VendLoopback *loopback, const char *cog_id, const char *path,
                         const char *name, const char *type)
{
  g_autofree char *clean = vend_file_name_clean (name != NULL ? name : "file");
  g_autofree char *escaped = g_uri_escape_string (clean, NULL, FALSE);
  const guint64 n = loopback->next_input++;
  Input *input = g_new0 (Input, 1);
  input->cog_id = g_strdup (cog_id);
  input->path = g_strdup (path);
  input->type = g_strdup (type != NULL ? type : vend_file_type (clean));
  g_hash_table_insert (loopback->inputs, g_strdup_printf ("%s/%" G_GUINT64_FORMAT, cog_id, n),
                       input);
  return g_strdup_printf ("%s/in/%s/%" G_GUINT64_FORMAT "/%s", loopback->url, cog_id, n, escaped);
}

/* ---- Webhooks. */

static VendReply *
answer_hook (VendLoopback *loopback, VendCall *call)
{
  const VendPart *part = vend_call_part (call, "");
  g_autofree char *path = part != NULL ? vend_part_take_path (call, part) : NULL;
  if (path == NULL)
    return refuse (400, "no body");
  loopback->hook (vend_call_param (call, "run"), path, loopback->data);
  unlink (path);
  return vend_reply_empty (204);
}

static void
handle_hook (VendCall *call, void *context)
{
  pass_on (context, call, answer_hook);
}

char *
vend_loopback_hook_url (const VendLoopback *loopback, const char *cog_id)
{
  return g_strconcat (loopback->url, "/hook/", cog_id, NULL);
}

/* ---- Life. */

static gboolean
upload_is_of (void *key, void *value, void *cog_id)
{
  return g_strcmp0 (((const Upload *) value)->cog_id, cog_id) == 0;
}

static gboolean
input_is_of (void *key, void *value, void *cog_id)
{
  return strcmp (((const Input *) value)->cog_id, cog_id) == 0;
}

void
vend_loopback_forget (VendLoopback *loopback, const char *cog_id)
{
  g_hash_table_foreach_remove (loopback->uploads, upload_is_of, (void *) cog_id);
  g_hash_table_foreach_remove (loopback->inputs, input_is_of, (void *) cog_id);
}

const char *
vend_loopback_url (const VendLoopback *loopback)
{
  return loopback->url;
}

static void
set_url (VendLoopback *loopback, guint port)
{
  g_free (loopback->url);
  loopback->url = g_strdup_printf ("http://127.0.0.1:%u/%s", port, loopback->token);
}

static bool
serve (VendLoopback *loopback, GError **error)
{
  g_autofree char *up = g_strdup_printf ("/%s/up/{name}", loopback->token);
  g_autofree char *in = g_strdup_printf ("/%s/in/{run}/{n}/{name}", loopback->token);
  g_autofree char *hook = g_strdup_printf ("/%s/hook/{run}", loopback->token);
  const VendRoute routes[] = {
    { "PUT", up, handle_upload, loopback, VEND_BODY_SPOOL, loopback->max_output_file },
    { "GET", in, handle_input, loopback, VEND_BODY_NONE, 0 },
    { "POST", hook, handle_hook, loopback, VEND_BODY_SPOOL, MAX_HOOK },
  };
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = HTTP_THREADS,
                               .max_connections = MAX_CONNECTIONS,
                               .idle_timeout_s = IDLE_TIMEOUT_S,
                               .max_body = 1024,
                               .spool_dir = loopback->spool };
  const VendLoopbackPlace *place = &loopback->place;
  if ((place->port != 0 && !place->listen (place->port, &options.listener, place->data, error))
      || !vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &loopback->httpd, error))
    return false;
  vend_httpd_serve (loopback->httpd);
  set_url (loopback, vend_httpd_port (loopback->httpd));
  return true;
}

bool
vend_loopback_open (VendLoopback *loopback, GError **error)
{
  loopback->is_wanted = true;
  return loopback->httpd != NULL || (loopback->place.port != 0 && !loopback->has_entered)
         || serve (loopback, error);
}

static void
stop_serving (VendLoopback *loopback)
{
  if (loopback->httpd == NULL)
    return;
  vend_httpd_stop_accepting (loopback->httpd);
  /* Calls that HTTP threads passed on and nobody answered yet. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_pointer (&loopback->httpd, vend_httpd_free);
}

void
vend_loopback_set_place (VendLoopback *loopback, const VendLoopbackPlace *place)
{
  loopback->place = *place;
  set_url (loopback, place->port);
}

bool
vend_loopback_enter (VendLoopback *loopback, GError **error)
{
  if (loopback->has_entered)
    stop_serving (loopback);
  loopback->has_entered = true;
  return !loopback->is_wanted || serve (loopback, error);
}

bool
vend_loopback_new (const char *dir, uint64_t max_output_file, VendLoopbackHook hook, void *data,
                   VendLoopback **out, GError **error)
{
  g_autoptr (VendLoopback) loopback = g_new0 (VendLoopback, 1);
  loopback->spool = g_build_filename (dir, "spool", NULL);
  loopback->outputs = g_build_filename (dir, "outputs", NULL);
  loopback->max_output_file = max_output_file;
  loopback->token = vend_secret_new ("", TOKEN_LENGTH);
  loopback->hook = hook;
  loopback->data = data;
  loopback->uploads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, upload_free);
  loopback->inputs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, input_free);
  if (!vend_dir_ensure (loopback->spool, error) || !vend_dir_ensure (loopback->outputs, error))
    return false;
  *out = g_steal_pointer (&loopback);
  return true;
}

void
vend_loopback_free (VendLoopback *loopback)
{
  if (loopback == NULL)
    return;
  stop_serving (loopback);
  g_clear_pointer (&loopback->uploads, g_hash_table_unref);
  g_clear_pointer (&loopback->inputs, g_hash_table_unref);
  g_free (loopback->spool);
  g_free (loopback->outputs);
  g_free (loopback->url);
  g_free (loopback->token);
  g_free (loopback);
}
