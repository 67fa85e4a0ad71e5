/* Input files of one run. Main context. */
#include "director/inputs.h"
#include "base/error.h"
#include "base/fd.h"
#include "files/file-name.h"
#include "machines/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MAX_REDIRECTS 5
/* Of a content while the control plane may be away. */
#define FETCH_TRIES 20
#define FETCH_PAUSE_US 1000000

typedef struct
{
  VendInputs *inputs;
  VendEgressCall *call;
  json_t *at;
  char *url;
  char *name;
  char *type;
  char *path;
  int fd;
  int write_errno;
} Download;

/* Of a content on the control plane's machine, by a thread of its own. */
typedef struct
{
  VendInputs *inputs; /* main context; NULL: nobody waits any more */
  VendDialer dialer;
  json_t *at;
  char *name;
  char *type;
  char *sha256;
  char *path;
  GError *error;
} Fetch;

struct VendInputs
{
  VendInputsOptions options;
  char *cog_id;
  char *folder;
  json_t *input;
  GPtrArray *downloads;
  GPtrArray *fetches; /* of Fetch, which free themselves */
  guint running;
  char *problem;
  guint ready_source;
};

static void
download_free (void *data)
{
  Download *download = data;
  if (download->call != NULL)
    vend_egress_cancel (download->call);
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
  g_autoptr (GError) error = NULL;
  if (!vend_loopback_open (inputs->options.loopback, &error))
    {
      if (inputs->problem == NULL)
        inputs->problem = g_strdup (error->message);
      return;
    }
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

static bool
on_bytes (const char *bytes, gsize size, void *user_data)
{
  Download *download = user_data;
  g_autoptr (GError) error = NULL;
  if (vend_fd_write_all (download->fd, bytes, size, &error))
    return true;
  download->write_errno = errno;
  return false;
}

/* ["images", 2] as people write it: "input.images[2]". */
static char *
field_name (const json_t *at)
{
  g_autoptr (GString) name = g_string_new ("input");
  size_t i;
  json_t *step;
  json_array_foreach ((json_t *) at, i, step)
    if (json_is_string (step))
      g_string_append_printf (name, ".%s", json_string_value (step));
    else
      g_string_append_printf (name, "[%" JSON_INTEGER_FORMAT "]", json_integer_value (step));
  return g_string_free (g_steal_pointer (&name), FALSE);
}

static char *
download_problem (const Download *download, const VendEgressResponse *answer)
{
  g_autofree char *field = field_name (download->at);
  g_autofree char *head
      = g_strdup_printf ("Input validation error: %s: could not download %s", field, download->url);
  if (download->write_errno != 0)
    return g_strdup_printf ("%s: %s", head, g_strerror (download->write_errno));
  if (answer->problem == NULL)
    return g_strdup_printf ("%s: the server answered %ld", head, answer->status);
  return g_strdup_printf ("%s: %s", head, answer->problem);
}

static void
on_done (const VendEgressResponse *answer, void *user_data)
{
  Download *download = user_data;
  VendInputs *inputs = download->inputs;
  download->call = NULL;
  if (download->type == NULL)
    download->type = g_strdup (answer->content_type);
  inputs->running--;
  vend_fd_clear (&download->fd);
  if (answer->problem == NULL && answer->status >= 200 && answer->status < 300)
    serve (inputs, download->at, download->path, download->name, download->type);
  else if (inputs->problem == NULL)
    inputs->problem = download_problem (download, answer);
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
  const VendInputsOptions *options = &download->inputs->options;
  download->inputs->running++;
  download->call
      = vend_egress_start (options->egress, &(VendEgressRequest){ .url = download->url,
                                                                  .max_redirects = MAX_REDIRECTS,
                                                                  .timeout_us = options->timeout_us,
                                                                  .stall_us = options->stall_us,
                                                                  .min_speed = options->min_speed,
                                                                  .max_size = options->max_file,
                                                                  .sink = on_bytes,
                                                                  .done = on_done,
                                                                  .data = download });
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

/* ---- Contents of the control plane */

static gboolean
fetched (void *data)
{
  Fetch *fetch = data;
  VendInputs *inputs = fetch->inputs;
  if (inputs != NULL)
    {
      g_ptr_array_remove_fast (inputs->fetches, fetch);
      inputs->running--;
      if (fetch->error == NULL)
        serve (inputs, fetch->at, fetch->path, fetch->name, fetch->type);
      else if (inputs->problem == NULL)
        inputs->problem
            = g_strdup_printf ("an input file could not be fetched: %s", fetch->error->message);
      check_ready (inputs);
    }
  vend_dialer_clear (&fetch->dialer);
  json_decref (fetch->at);
  g_free (fetch->name);
  g_free (fetch->type);
  g_free (fetch->sha256);
  g_free (fetch->path);
  g_clear_error (&fetch->error);
  g_free (fetch);
  return G_SOURCE_REMOVE;
}

static void *
fetch_main (void *data)
{
  Fetch *fetch = data;
  for (guint i = 0; i < FETCH_TRIES; i++)
    {
      g_clear_error (&fetch->error);
      if (vend_transfer_fetch_content (&fetch->dialer, fetch->sha256, fetch->path, &fetch->error)
          || g_error_matches (fetch->error, VEND_ERROR, VEND_ERROR_CONFLICT))
        break;
      (void) unlink (fetch->path);
      g_usleep (FETCH_PAUSE_US);
    }
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, fetched, fetch, NULL);
  return NULL;
}

static void
add_fetch (VendInputs *inputs, const json_t *file, const char *sha256)
{
  g_autofree char *disk_name = g_strdup_printf ("content-%u", inputs->running);
  g_autoptr (GError) error = NULL;
  if (!vend_dir_ensure (inputs->folder, &error))
    {
      inputs->problem = g_strdup (error->message);
      return;
    }
  Fetch *fetch = g_new0 (Fetch, 1);
  *fetch = (Fetch){ .inputs = inputs,
                    .dialer = vend_dialer_copy (inputs->options.dialer),
                    .at = json_deep_copy (json_object_get (file, "at")),
                    .name = g_strdup (vend_json_string (file, "name")),
                    .type = g_strdup (vend_json_string (file, "type")),
                    .sha256 = g_strdup (sha256),
                    .path = g_build_filename (inputs->folder, disk_name, NULL) };
  g_ptr_array_add (inputs->fetches, fetch);
  inputs->running++;
  GThread *thread = g_thread_try_new ("input", fetch_main, fetch, &fetch->error);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    g_idle_add (fetched, fetch);
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
  inputs->fetches = g_ptr_array_new ();
  if (n > VEND_INPUTS_MAX)
    inputs->problem
        = g_strdup_printf ("Input validation error: more than %d files", VEND_INPUTS_MAX);
  for (size_t i = 0; i < n && inputs->problem == NULL; i++)
    {
      const json_t *file = json_array_get (files, i);
      const char *path = vend_json_string (file, "path");
      const char *url = vend_json_string (file, "url");
      const char *sha256 = vend_json_string (file, "sha256");
      if (path != NULL && sha256 != NULL && options->dialer != NULL)
        add_fetch (inputs, file, sha256);
      else if (path != NULL)
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
  for (guint i = 0; i < inputs->fetches->len; i++)
    ((Fetch *) g_ptr_array_index (inputs->fetches, i))->inputs = NULL;
  g_ptr_array_unref (inputs->fetches);
  g_autoptr (GError) error = NULL;
  (void) !vend_tree_remove (inputs->folder, &error);
  json_decref (inputs->input);
  g_free (inputs->cog_id);
  g_free (inputs->folder);
  g_free (inputs->problem);
  g_free (inputs);
}
