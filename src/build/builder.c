/* `vend builder`: the process of one build. Single-threaded; dies with the control plane. */
#include "build/builder.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process-start.h"
#include "build/build.h"
#include "build/export.h"
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define MAX_SPEC ((gsize) 16 * 1024 * 1024)

static bool
read_input (json_t **out, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char chunk[4096];
  for (;;)
    {
      const ssize_t n = read (STDIN_FILENO, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "read the build's description");
      if (n == 0)
        break;
      if ((gsize) n > MAX_SPEC - text->len)
        return vend_fail (error, VEND_ERROR_INVALID, "the build's description is too long");
      g_string_append_len (text, chunk, n);
    }
  if (!vend_json_parse (text->str, text->len, out, error))
    {
      g_prefix_error (error, "the build's description: ");
      return false;
    }
  return true;
}

static bool
read_spec (const json_t *document, VendBuildSpec *spec, const char **out_result, GError **error)
{
  spec->archive = vend_json_string (document, "archive");
  spec->export_spec = json_object_get (document, "export");
  if (spec->archive == NULL && spec->export_spec == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the build's description: 'archive' is missing");
  const struct
  {
    const char *key;
    const char **out;
  } texts[] = { { "staging_dir", &spec->staging_dir },
                { "venvs_dir", &spec->venvs_dir },
                { "cache_dir", &spec->cache_dir },
                { "cog_version", &spec->cog_version },
                { "coglet_version", &spec->coglet_version },
                { "blobs_dir", &spec->blobs_dir },
                { "weights_dir", &spec->weights_dir },
                { "hub", &spec->hub.endpoint },
                { "result", out_result } };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      *texts[i].out = vend_json_string (document, texts[i].key);
      if (*texts[i].out == NULL || **texts[i].out == '\0')
        return vend_fail (error, VEND_ERROR_INVALID, "the build's description: '%s' is missing",
                          texts[i].key);
    }
  const int64_t max_bytes = vend_json_int (document, "max_source_bytes", 0);
  const int64_t max_files = vend_json_int (document, "max_source_files", 0);
  const int64_t max_archive = vend_json_int (document, "max_archive_bytes", 0);
  const int64_t max_image = vend_json_int (document, "max_image_bytes", 0);
  if (max_bytes <= 0 || max_files <= 0 || max_archive < 0 || max_image < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "the build's description: a limit is missing");
  spec->max_source_bytes = (uint64_t) max_bytes;
  spec->max_source_files = (uint64_t) max_files;
  spec->max_archive_bytes = (uint64_t) max_archive;
  spec->max_image_bytes = (uint64_t) max_image;
  spec->as_image = vend_json_bool (document, "as_image", false);
  spec->image_base = vend_json_string (document, "image_base");
  spec->image_dir = vend_json_string (document, "image_dir");
  if (spec->as_image && (spec->image_base == NULL || spec->image_dir == NULL || max_image == 0))
    return vend_fail (error, VEND_ERROR_INVALID, "the build's description: no place for an image");
  spec->is_import = vend_json_bool (document, "is_import", false);
  spec->hub.token = vend_json_string (document, "hub_token");
  spec->hub.is_own = vend_json_bool (document, "hub_is_own", false);
  spec->known_weights = json_object_get (document, "known_weights");
  spec->package_allow = vend_json_string (document, "package_allow");
  spec->any_package_host = vend_json_bool (document, "any_package_host", false);
  spec->allow_build_run = vend_json_bool (document, "allow_build_run", false);
  spec->smoke_start = vend_json_bool (document, "smoke_start", false);
  return true;
}

/* A reader that is gone ends the process by SIGPIPE, as a build that nobody awaits should. */
static void
write_log (const char *line, void *data)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  g_autoptr (GError) error = NULL;
  if (!vend_fd_write_all (STDOUT_FILENO, text, strlen (text), &error))
    vend_log (VEND_LOG_WARN, "cannot write the build log", "error", error->message, NULL);
}

static void
log_failure (const GError *error)
{
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = g_strconcat ("error: ", lines[i], NULL);
      write_log (line, NULL);
    }
}

static json_t *
failure_document (const GError *error)
{
  json_t *document = json_object ();
  json_t *inner = json_object ();
  vend_json_set_string (inner, "code", vend_error_info (error)->id);
  vend_json_set_string (inner, "message", error->message);
  json_object_set_new (document, "error", inner);
  return document;
}

static json_t *
result_document (const VendBuildResult *result)
{
  json_t *document = json_object ();
  vend_json_set_string (document, "version_id", result->version_id);
  json_object_set (document, "manifest", result->manifest);
  json_object_set (document, "openapi", result->openapi);
  json_object_set (document, "launch", result->launch);
  json_object_set (document, "card", result->card);
  if (result->import != NULL)
    json_object_set (document, "import", result->import);
  if (result->image != NULL)
    json_object_set (document, "image", result->image);
  return document;
}

static bool
write_result (const char *path, const json_t *document, GError **error)
{
  g_autofree char *text = vend_json_text (document);
  g_autofree char *dir = g_path_get_dirname (path);
  return vend_file_replace (path, text, strlen (text), 0600, error) && vend_dir_sync (dir, error);
}

/* NULL after an error. */
static json_t *
work (const VendBuildSpec *spec, GError **error)
{
  g_autoptr (VendBuildResult) result = NULL;
  if (spec->export_spec != NULL)
    return vend_export_run (spec, write_log, NULL, error) ? json_object () : NULL;
  return vend_build_run (spec, write_log, NULL, &result, error) ? result_document (result) : NULL;
}

static bool
run (GError **error)
{
  json_auto_t *input = NULL;
  VendBuildSpec spec = { 0 };
  const char *result_path = NULL;
  if (!read_input (&input, error) || !read_spec (input, &spec, &result_path, error))
    return false;

  g_autoptr (GError) problem = NULL;
  json_auto_t *document = work (&spec, &problem);
  const bool good = document != NULL;
  if (!good)
    {
      document = failure_document (problem);
      log_failure (problem);
    }
  if (!write_result (result_path, document, error))
    return false;
  if (!good)
    g_propagate_error (error, g_steal_pointer (&problem));
  return good;
}

int
vend_builder_main (int argc, char **argv)
{
  /* Nobody would read the result of a build whose control plane is gone. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  vend_process_survive_signals ();
  umask (022);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  g_autoptr (GError) error = NULL;
  const bool good = run (&error);
  if (!good)
    vend_log (VEND_LOG_ERROR, "the build failed", "error", error->message, NULL);
  curl_global_cleanup ();
  return good ? 0 : 1;
}
