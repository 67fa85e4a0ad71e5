/* Brings output files into the file store, off the core thread. */
#pragma once
#include "model/file.h"
#include "sched/core.h"

/* Stored files that stay without rows as long as this value lives. */
typedef struct Outputs Outputs;
struct Outputs
{
  VendBlobs *blobs;
  GPtrArray *rows; /* of VendOutput; rows of a result belong to its transaction */
};
void vend_outputs_free (Outputs *outputs);
/* A new value with "vend-output:" strings, and the value to keep until the rows are stored. Both go
 * over; both are NULL with an error. */
typedef void (*OutputsTaken) (json_t *output, Outputs *outputs, const GError *error, void *data);
bool vend_outputs_have_files (const json_t *output);
/* `output` is not changed, and the director's files stay in place: until the result is stored the
 * director may name them again, and then gets the same tokens. */
void vend_outputs_take (VendSched *sched, const char *prediction, const json_t *output,
                        OutputsTaken taken, void *data);
/* Removes the director's files of a result, once nobody can ask for them again. */
void vend_outputs_forget (VendSched *sched, const json_t *output);
