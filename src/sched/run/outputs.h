/* Brings output files into the file store, off the core thread. */
#pragma once
#include "model/file.h"
#include "sched/core.h"

/* What was brought in, and stays there without rows as long as this does. */
typedef struct Outputs Outputs;
struct Outputs
{
  VendBlobs *blobs;
  GPtrArray *rows; /* of VendOutput; those of a result belong into its transaction */
};
void vend_outputs_free (Outputs *outputs);
/* A new value with "vend-output:" strings, and what to keep until the rows are stored; both go
 * over, and are NULL with an error. */
typedef void (*OutputsTaken) (json_t *output, Outputs *outputs, const GError *error, void *data);
bool vend_outputs_have_files (const json_t *output);
/* `output` is not changed, and the director's files stay where they are: until the result is
 * stored it may name them again, and then gets the same tokens. */
void vend_outputs_take (VendSched *sched, const char *prediction, const json_t *output,
                        OutputsTaken taken, void *data);
/* Removes the director's files that a result names, once nobody will ask for them again. */
void vend_outputs_forget (VendSched *sched, const json_t *output);
