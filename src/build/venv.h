/* Virtual environments shared by all versions with the same packages: made once under a lock,
 * complete or not there. */
#pragma once
#include "build/build-private.h"
#include "build/interpreter.h"

typedef struct
{
  char *key; /* its folder below venvs_dir */
  char *dir;
  char *python;
  char *freeze; /* the output of `pip freeze` */
} VendVenv;

void vend_venv_free (VendVenv *venv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendVenv, vend_venv_free)

typedef struct
{
  const char *resolved;    /* exact packages, as the resolver gave them */
  const char *options;     /* of the requirements, for the installer */
  const char *torch_index; /* as of vend_resolve_torch_index; or NULL */
  const char *salt;        /* whatever else must differ between environments; may be NULL */
  bool with_pip;           /* for commands of the model's author */
  const char *wheels;      /* a folder that all packages come from, without any network; or NULL */
} VendVenvRequest;

/* Uses the existing environment or makes it; waits while another build makes the same one. */
bool vend_venv_ensure (const VendBuildContext *context, const VendInterpreter *interpreter,
                       const VendVenvRequest *request, VendVenv **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The text without the build's own folder, so that it reads the same in every build. Free with
 * g_free. */
char *vend_venv_neutral_text (const VendBuildContext *context, const char *text)
    G_GNUC_WARN_UNUSED_RESULT;
