/* A lost attempt of a prediction. Plain values. */
#pragma once
#include <stdint.h>
#include <glib.h>

#define VEND_ATTEMPT_LOST "lost"
#define VEND_ATTEMPT_OUT_OF_MEMORY "out_of_memory"

typedef struct
{
  int number;
  char *instance;     /* "" when unknown */
  int64_t started_us; /* 0 = the model had not begun */
  int64_t ended_us;
  char *outcome; /* one of these */
} VendAttempt;

void vend_attempt_free (VendAttempt *attempt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAttempt, vend_attempt_free)
