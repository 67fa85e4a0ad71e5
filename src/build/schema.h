/* The OpenAPI document of a model, read from its source by a program that does not run it. */
#pragma once
#include "build/build-private.h"
#include "build/cog-yaml.h"

typedef struct
{
  json_t *openapi;
  bool is_async;
  bool is_streaming;
  int concurrency;  /* 0 = the source says nothing */
  json_t *warnings; /* array of strings */
} VendSchema;

void vend_schema_free (VendSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSchema, vend_schema_free)

/* INVALID with one line a mistake, "predict.py:12: …". Also writes the document where the model
 * server looks for it. */
bool vend_schema_make (const VendBuildContext *context, const char *python, const VendCogYaml *yaml,
                       VendSchema **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
