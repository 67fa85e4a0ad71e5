/* Finds predictions and trainings, and follows one until it ends, by polling. Main thread only;
 * blocks. */
#pragma once
#include "cli/client/client.h"

typedef struct
{
  const char *id;
  bool is_training;
  int64_t deadline_us; /* by vend_now_us; 0 = none */
  VendInterrupt *interrupt;
  /* Called with every answer, the last one too; may be NULL. */
  void (*on_change) (const json_t *prediction, void *user);
  void *user;
} VendWatch;

/* `*out` is the prediction in its final state. CANCELED after Ctrl-C, TIMEOUT after the deadline;
 * neither cancels the prediction. A server that is away for a short time is waited for. */
bool vend_watch_run (const VendWatch *watch, VendClient *client, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

bool vend_watch_is_over (const json_t *prediction);

/* The prediction of that id, else the training: ids do not tell one from the other. */
bool vend_watch_find (VendClient *client, const char *id, bool *out_is_training, json_t **out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for the end of a prediction or training. */
bool vend_watch_cancel (VendClient *client, const char *id, bool is_training, json_t **out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the text shown so far ends in `logs`; everything when the logs were replaced. Borrowed. */
const char *vend_watch_new_logs (const json_t *prediction, gsize *inout_shown);
