/* cog.yaml: parsed and checked, all mistakes at once, each with its line. Pure apart from reading
 * the file and looking whether the files it names are there. Used by `vend push` and by the
 * builder. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "weights/source.h"

#define VEND_COG_YAML_MAX_SIZE (1024 * 1024)
#define VEND_COG_YAML_FIRST_STEP \
  "begin with one that has the two lines 'build: {python_version: \"3.12\"}' and 'run: " \
  "run.py:Runner'"

/* Managed weights. */
typedef struct
{
  char *name;
  char *target; /* below the project */
  VendWeightSource *source;
} VendCogWeights;

typedef struct
{
  char *python_version; /* "3.11" or "3.11.7" as written; NULL = not asked for */
  bool gpu;
  char *python_requirements; /* path relative to the project, or NULL */
  char **python_packages;    /* never NULL; NULL-terminated, as are all lists here */
  char **system_packages;
  char **run;         /* build.run and build.pre_install commands, in order */
  char **environment; /* "KEY=value" */
  char *predict;      /* `run` or its deprecated alias `predict`: "predict.py:Predictor"; or NULL */
  char *train;        /* or NULL */
  GPtrArray *weights; /* of VendCogWeights; never NULL */
  int concurrency;    /* concurrency.max; 0 = not set */
  json_t
      *meaning; /* canonical: what of the file decides how the model behaves; for the version id */
} VendCogYaml;

void vend_cog_yaml_free (VendCogYaml *yaml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCogYaml, vend_cog_yaml_free)

/* Reads PROJECT_DIR/cog.yaml. `problems` and `warnings` (of char *, "cog.yaml:12: build.gpu:
 * expected true or false, got 'maybe'") are appended to. Returns NULL when there is any problem. */
VendCogYaml *vend_cog_yaml_load (const char *project_dir, GPtrArray *problems, GPtrArray *warnings)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same for a build as an image, where build.run has all that it counts on. */
VendCogYaml *vend_cog_yaml_load_for_image (const char *project_dir, GPtrArray *problems,
                                           GPtrArray *warnings) G_GNUC_WARN_UNUSED_RESULT;
