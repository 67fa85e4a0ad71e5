/* Input files of one run. Main context. */
#include "director/inputs.h"
#include "base/error.h"
#include "base/fd.h"
#include "director/file-name.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 10L
#define STALL_TIMEOUT_S 30L /* less than one byte a second for so long */
#define MAX_REDIRECTS 5L
#define USER_AGENT "vend"

typedef struct
{
  VendInputs *inputs;
  CURL *easy;
  json_t *at;
  char *url;
  char *name;
  char *type;
  char *path;
  int fd;
  uint64_t size;
  bool too_large;
  int write_errno;
  char problem[CURL_ERROR_SIZE];
} Download;

struct VendInputs
{
  VendInputsOptions options;
  char *cog_id;
  char *folder;
  json_t *input;
  GPtrArray *downloads;
  guint running;
  char *problem;
  guint ready_source;
};

static void
download_free (void *data)
{
  Download *download = data;
  if (download->easy != NULL)
    vend_curl_context_cancel (download->inputs->options.curl, download->easy);
  json_decref (download->at);
  vend_fd_clear (&download->fd);
  g_free (download->url);
  g_free (download->name);
  g_free (download->type);
  g_free (download->path);
  g_free (download);
}

/* Puts `address` at ["images", 2] of the input. */
static bool
place (json_t *input, const json_t *at, const char *address)
{
  json_t *parent = input;
  const size_t n = json_array_size (at);
  for (size_t i = 0; i < n; i++)
    {
      const json_t *step = json_array_get (at, i);
      const char *key = json_string_value (step);
      const bool last = i + 1 == n;
      if (key != NULL && json_is_object (parent))
        {
          if (last)
            return json_object_set_new (parent, key, json_string (address)) == 0;
          parent = json_object_get (parent, key);
        }
      else if (json_is_integer (step) && json_is_array (parent) && json_integer_value (step) >= 0)
        {
          const size_t index = (size_t) json_integer_value (step);
          if (last)
            return json_array_set_new (parent, index, json_string (address)) == 0;
          parent = json_array_get (parent, index);
        }
      else
        return false;
    }
  return false;
}

static void
serve (VendInputs *inputs, const json_t *at, const char *path, const char *name, const char *type)
{
  g_autofree char *address
      = vend_loopback_add_input (inputs->options.loopback, inputs->cog_id, path, name, type);
  if (!place (inputs->input, at, address) && inputs->problem == NULL)
    inputs->problem = g_strdup ("Input validation error: a file has no place in the input");
}

static gboolean
tell_ready (void *user_data)
{
  VendInputs *inputs = user_data;
  inputs->ready_source = 0;
  inputs->options.ready (inputs->problem, inputs->options.data);
  return G_SOURCE_REMOVE;
}

static void
check_ready (VendInputs *inputs)
{
  if (inputs->ready_source == 0 && (inputs->running == 0 || inputs->problem != NULL))
    inputs->ready_source = g_idle_add_full (G_PRIORITY_DEFAULT, tell_ready, inputs, NULL);
}

static size_t
on_bytes (char *data, size_t size, size_t n, void *user_data)
{
  Download *download = user_data;
  g_autoptr (GError) error = NULL;
  download->size += size * n;
  download->too_large = download->size > download->inputs->options.max_file;
  if (download->too_large)
    return CURL_WRITEFUNC_ERROR;
  if (!vend_fd_write_all (download->fd, data, size * n, &error))
    {
      download->write_errno = errno;
      return CURL_WRITEFUNC_ERROR;
    }
  return size * n;
}

static char *
download_problem (const Download *download, CURLcode result, long status)
{
  const char *head = "Input validation error: could not download";
  if (download->too_large)
    return g_strdup_printf ("%s %s: it is larger than %" G_GUINT64_FORMAT " bytes", head,
                            download->url, download->inputs->options.max_file);
  if (download->write_errno != 0)
    return g_strdup_printf ("%s %s: %s", head, download->url, g_strerror (download->write_errno));
  if (result == CURLE_OK)
    return g_strdup_printf ("%s %s: the server answered %ld", head, download->url, status);
  return g_strdup_printf ("%s %s: %s", head, download->url,
                          download->problem[0] != '\0' ? download->problem
                                                       : curl_easy_strerror (result));
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  Download *download = user_data;
  VendInputs *inputs = download->inputs;
  long status = 0;
  char *type = NULL;
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (easy, CURLINFO_CONTENT_TYPE, &type);
  if (download->type == NULL)
    download->type = g_strdup (type);
  inputs->running--;
  vend_fd_clear (&download->fd);
  if (result == CURLE_OK && status >= 200 && status < 300)
    serve (inputs, download->at, download->path, download->name, download->type);
  else if (inputs->problem == NULL)
    inputs->problem = download_problem (download, result, status);
  curl_easy_cleanup (easy);
  download->easy = NULL;
  check_ready (inputs);
}

static char *
name_of_url (const char *url)
{
  g_autofree char *path = g_strndup (url, strcspn (url, "?#"));
  g_autofree char *decoded = g_uri_unescape_string (path, NULL);
  return vend_file_name_clean (decoded != NULL ? decoded : path);
}

static void
start_transfer (Download *download)
{
  CURL *easy = curl_easy_init ();
  g_assert (easy != NULL);
  download->easy = easy;
  curl_easy_setopt (easy, CURLOPT_URL, download->url);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S);
  curl_easy_setopt (easy, CURLOPT_USERAGENT, USER_AGENT);
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, download->problem);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, download);
  download->inputs->running++;
  vend_curl_context_start (download->inputs->options.curl, easy, on_done, download);
}

static bool
open_target (Download *download, GError **error)
{
  if (!vend_dir_ensure (download->inputs->folder, error))
    return false;
  g_autofree char *disk_name = g_strdup_printf ("%u", download->inputs->downloads->len);
  download->path = g_build_filename (download->inputs->folder, disk_name, NULL);
  download->fd = open (download->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return download->fd >= 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", download->path);
}

static void
add_download (VendInputs *inputs, const json_t *file, const char *url)
{
  g_autoptr (GError) error = NULL;
  Download *download = g_new0 (Download, 1);
  download->inputs = inputs;
  download->fd = -1;
  download->at = json_incref (json_object_get (file, "at"));
  download->url = g_strdup (url);
  download->type = g_strdup (vend_json_string (file, "type"));
  const char *name = vend_json_string (file, "name");
  download->name = name != NULL ? g_strdup (name) : name_of_url (url);
  const bool opened = open_target (download, &error);
  g_ptr_array_add (inputs->downloads, download);
  if (opened)
    start_transfer (download);
  else if (inputs->problem == NULL)
    inputs->problem = g_strdup (error->message);
}

VendInputs *
vend_inputs_start (const VendInputsOptions *options, json_t *input, const json_t *files)
{
  const size_t n = json_array_size (files);
  if (n == 0)
    return NULL;
  VendInputs *inputs = g_new0 (VendInputs, 1);
  inputs->options = *options;
  inputs->cog_id = g_strdup (options->cog_id);
  inputs->folder = g_build_filename (options->dir, "inputs", options->cog_id, NULL);
  inputs->input = json_incref (input);
  inputs->downloads = g_ptr_array_new_with_free_func (download_free);
  if (n > VEND_INPUTS_MAX)
    inputs->problem
        = g_strdup_printf ("Input validation error: more than %d files", VEND_INPUTS_MAX);
  for (size_t i = 0; i < n && inputs->problem == NULL; i++)
    {
      const json_t *file = json_array_get (files, i);
      const char *path = vend_json_string (file, "path");
      const char *url = vend_json_string (file, "url");
      if (path != NULL)
        serve (inputs, json_object_get (file, "at"), path, vend_json_string (file, "name"),
               vend_json_string (file, "type"));
      else if (url != NULL)
        add_download (inputs, file, url);
    }
  check_ready (inputs);
  return inputs;
}

void
vend_inputs_free (VendInputs *inputs)
{
  if (inputs == NULL)
    return;
  if (inputs->ready_source != 0)
    g_source_remove (inputs->ready_source);
  g_ptr_array_unref (inputs->downloads);
  g_autoptr (GError) error = NULL;
  (void) !vend_tree_remove (inputs->folder, &error);
  json_decref (inputs->input);
  g_free (inputs->cog_id);
  g_free (inputs->folder);
  g_free (inputs->problem);
  g_free (inputs);
}
