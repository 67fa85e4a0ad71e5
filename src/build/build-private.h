/* The context that the steps of one build share. */
#pragma once
#include "build/build.h"
#include "build/child.h"

typedef struct VendBuildContext VendBuildContext;

struct VendBuildContext
{
  const VendBuildSpec *spec;
  VendBuildLog log;
  void *log_data;
  char *source_dir;
  char *work_dir; /* work files, which no version keeps */
  char **env;     /* of children: the variables of ours that installers need, nothing else */
  char *uv;       /* NULL when the machine has none */
  /* Starts what reads the model: vend_child_start, or the same in an image. */
  bool (*start) (const VendBuildContext *context, const VendChildOptions *options, VendChild **out,
                 GError **error);
  void *start_data;
};

void vend_build_context_init (VendBuildContext *context, const VendBuildSpec *spec,
                              VendBuildLog log, void *log_data);
/* Looks for uv. The work folder must be there, as for all children. */
void vend_build_context_find_uv (VendBuildContext *context);
void vend_build_context_clear (VendBuildContext *context);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendBuildContext, vend_build_context_clear)

void vend_build_say (const VendBuildContext *context, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Runs a child in the work folder, its lines to the log; RUNNER names `what`. */
bool vend_build_child (const VendBuildContext *context, const char *const *argv, const char *what,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, silent: for asking a program something. */
bool vend_build_ask (const VendBuildContext *context, const char *const *argv, char **out_output,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The children's environment with `venv` first on PATH. Free with g_strfreev. */
char **vend_build_venv_env (const VendBuildContext *context, const char *venv)
    G_GNUC_WARN_UNUSED_RESULT;
