/* Errors in the form that OpenAI's clients read. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

/* What is wrong with a request of these endpoints, or with its run. */
typedef struct
{
  int status;
  char *message;
  char *param;      /* the field of the request, or NULL */
  const char *code; /* a constant, or NULL */
} VendOpenaiFault;

void vend_openai_fault_clear (VendOpenaiFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendOpenaiFault, vend_openai_fault_clear)

/* Sets `fault` to a 400 and returns false. */
bool vend_openai_refuse (VendOpenaiFault *fault, const char *param, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* {"error": {"message", "type", "param", "code"}}; the type follows from the status. */
json_t *vend_openai_error (int status, const char *message, const char *param, const char *code)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same from a problem document, of which `param` and `code` may be members; `*out_status` is
 * the status for these clients: an invalid request is a 400 there. */
json_t *vend_openai_error_of_problem (int status, const json_t *problem, int *out_status)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether errors of this path are in this form. */
bool vend_openai_has_path (const char *path);
