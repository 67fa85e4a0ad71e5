/* What coglet says when a run failed, as people should read it. Pure. */
#pragma once
#include <glib.h>

/* The model's own text: without coglet's words in front of it. A part of `error`. */
const char *vend_model_error_plain (const char *error);

/* What cannot be written as JSON ends in coglet with the words of its parser. The result says where
 * in the output's JSON that was. NULL for other errors; free with g_free. */
char *vend_model_error_of_output (const char *error) G_GNUC_WARN_UNUSED_RESULT;
