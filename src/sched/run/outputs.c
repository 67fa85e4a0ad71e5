/* Brings output files of models into the file store. The work runs on the pool of files. */
#include "sched/run/outputs.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "model/capability.h"
#include "model/file.h"
#include "model/prediction.h"
#include "sched/core.h"
#include <string.h>
#include <unistd.h>

#define FILE_KEY "$vend.file"
#define TOKEN_LENGTH 40
#define TOKEN_PURPOSE "output"

typedef struct
{
  const VendRunner *runner;
  char *prediction;
  json_t *source; /* shared, only read */
  json_t *output;
  Outputs *outputs;
  GError *error;
  int64_t now_us;
  OutputsTaken taken;
  void *data;
} Taking;

bool
vend_outputs_have_files (const json_t *output)
{
  const char *key;
  json_t *item;
  size_t i;
  if (json_is_object (output))
    {
      if (json_object_get (output, FILE_KEY) != NULL)
        return true;
      json_object_foreach ((json_t *) output, key, item)
        if (vend_outputs_have_files (item))
          return true;
    }
  else if (json_is_array (output))
    json_array_foreach ((json_t *) output, i, item)
      if (vend_outputs_have_files (item))
        return true;
  return false;
}

/* A path is used once, so a file has the same token on every try. */
static char *
token_of (const Taking *taking, const char *path)
{
  g_autofree char *text = g_strdup_printf ("%s %s", taking->prediction, path);
  char *token = vend_capability_new (TOKEN_PURPOSE, text);
  return token != NULL ? token : vend_secret_new ("", TOKEN_LENGTH);
}

static json_t *
take_file (Taking *taking, const json_t *file)
{
  const char *path = vend_json_string (file, "path");
  const char *name = vend_json_string (file, "name");
  const char *type = vend_json_string (file, "type");
  const char *sha256 = vend_json_string (file, "sha256");
  if (path == NULL || name == NULL || type == NULL || sha256 == NULL)
    {
      vend_fail (&taking->error, VEND_ERROR_INTERNAL, "an output file lacks a field");
      return json_null ();
    }
  /* Whatever path a model makes its director report. */
  if (!taking->runner->has_file (taking->runner, path))
    {
      vend_fail (&taking->error, VEND_ERROR_INTERNAL, "an output file lies outside its instance");
      return json_null ();
    }
  if (!vend_blobs_copy (taking->outputs->blobs, path, sha256, &taking->error))
    return json_null ();

  VendOutput *row = g_new0 (VendOutput, 1);
  row->token = token_of (taking, path);
  row->prediction = g_strdup (taking->prediction);
  row->name = g_strdup (name);
  row->content_type = g_strdup (type);
  row->size = vend_json_int (file, "size", 0);
  row->sha256 = g_strdup (sha256);
  row->created_us = taking->now_us;
  g_ptr_array_add (taking->outputs->rows, row);
  g_autofree char *text = vend_output_file_text (row->token, name);
  return json_string (text);
}

static json_t *
take_value (Taking *taking, const json_t *value)
{
  const char *key;
  json_t *item, *made;
  size_t i;
  if (taking->error != NULL)
    return json_null ();
  if (json_is_object (value) && json_object_get (value, FILE_KEY) != NULL)
    return take_file (taking, json_object_get (value, FILE_KEY));
  if (json_is_object (value))
    {
      made = json_object ();
      json_object_foreach ((json_t *) value, key, item)
        json_object_set_new (made, key, take_value (taking, item));
      return made;
    }
  if (json_is_array (value))
    {
      made = json_array ();
      json_array_foreach ((json_t *) value, i, item)
        json_array_append_new (made, take_value (taking, item));
      return made;
    }
  return json_incref ((json_t *) value);
}

static void
take_all (void *data)
{
  Taking *taking = data;
  taking->output = take_value (taking, taking->source);
}

static void
taken_all (void *data)
{
  Taking *taking = data;
  if (taking->error != NULL)
    {
      json_decref (g_steal_pointer (&taking->output));
      vend_outputs_free (g_steal_pointer (&taking->outputs));
    }
  taking->taken (taking->output, taking->outputs, taking->error, taking->data);
  json_decref (taking->source);
  g_clear_error (&taking->error);
  g_free (taking->prediction);
  g_free (taking);
}

void
vend_outputs_take (VendSched *sched, const char *prediction, const json_t *output,
                   OutputsTaken taken, void *data)
{
  Outputs *outputs = g_new0 (Outputs, 1);
  outputs->blobs = sched->blobs;
  outputs->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  Taking *taking = g_new0 (Taking, 1);
  *taking = (Taking){ .outputs = outputs,
                      .runner = sched->runner,
                      .prediction = g_strdup (prediction),
                      .source = json_incref ((json_t *) output),
                      .now_us = vend_now_us (),
                      .taken = taken,
                      .data = data };
  vend_sched_on_files (sched, take_all, taken_all, taking);
}

void
vend_outputs_free (Outputs *outputs)
{
  if (outputs == NULL)
    return;
  for (guint i = 0; i < outputs->rows->len; i++)
    vend_blobs_let_go (outputs->blobs,
                       ((const VendOutput *) g_ptr_array_index (outputs->rows, i))->sha256);
  g_ptr_array_unref (outputs->rows);
  g_free (outputs);
}

/* ---- The director's files */

typedef struct
{
  const VendRunner *runner;
  json_t *output;
} Forgetting;

static void
forget_value (const Forgetting *forgetting, const json_t *value)
{
  const char *path = vend_json_string (json_object_get (value, FILE_KEY), "path");
  const char *key;
  json_t *item;
  size_t i;
  if (path != NULL && forgetting->runner->has_file (forgetting->runner, path))
    unlink (path);
  else if (json_is_object (value))
    json_object_foreach ((json_t *) value, key, item)
      forget_value (forgetting, item);
  else if (json_is_array (value))
    json_array_foreach ((json_t *) value, i, item)
      forget_value (forgetting, item);
}

static void
forget_all (void *data)
{
  const Forgetting *forgetting = data;
  forget_value (forgetting, forgetting->output);
}

static void
forgotten_all (void *data)
{
  g_autofree Forgetting *forgetting = data;
  json_decref (forgetting->output);
}

void
vend_outputs_forget (VendSched *sched, const json_t *output)
{
  if (output == NULL || !vend_outputs_have_files (output))
    return;
  Forgetting *forgetting = g_new0 (Forgetting, 1);
  *forgetting = (Forgetting){ sched->runner, json_incref ((json_t *) output) };
  vend_sched_on_disk (sched, forget_all, forgotten_all, forgetting);
}
