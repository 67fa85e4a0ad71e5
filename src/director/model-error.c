/* What coglet says when a run failed. Pure. */
#include "director/model-error.h"
#include <stdbool.h>
#include <string.h>

/* The server's wrappers around the text of the model. */
static const char *const error_prefixes[] = { "Prediction failed: ", "Training failed: " };

const char *
vend_model_error_plain (const char *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (error_prefixes);)
    if (g_str_has_prefix (error, error_prefixes[i]))
      {
        error += strlen (error_prefixes[i]);
        i = 0;
      }
    else
      i++;
  return error;
}

char *
vend_model_error_of_output (const char *error)
{
  static const struct
  {
    const char *part, *meaning;
  } problems[] = {
    { "recursion limit exceeded", "nested deeper than the 127 levels that the model server takes" },
    { "RecursionError", "nested deeper than the 127 levels that the model server takes" },
    { "expected value", "NaN or Infinity, which JSON does not have" },
    { "hex escape", "half of a character (a lone surrogate), which JSON cannot carry" },
    { "surrogate", "half of a character (a lone surrogate), which JSON cannot carry" },
  };
  static const char *const starts[] = { "Failed to parse output JSON", "Failed to serialize output",
                                        "Slot socket error: recursion limit" };
  bool is_of_output = false;
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    is_of_output = is_of_output || g_str_has_prefix (error, starts[i]);
  for (gsize i = 0; is_of_output && i < G_N_ELEMENTS (problems); i++)
    {
      const char *at = strstr (error, problems[i].part);
      const char *place = at != NULL ? strstr (at, " at line ") : NULL;
      if (at != NULL)
        return g_strdup_printf ("the output cannot be written as JSON: %s%s%s%s",
                                problems[i].meaning, place != NULL ? " (" : "",
                                place != NULL ? place + 1 : "", place != NULL ? ")" : "");
    }
  return NULL;
}
