/* The reply of GET /v1/history as traces. Main thread only. */
#pragma once
#include "cli/client/client.h"
#include "policy/trace.h"

typedef struct
{
  char *name; /* "owner/name" */
  bool is_deployment;
  bool is_known;   /* it was not deleted */
  bool bills_runs; /* else instance time */
  char *hardware;
  double price; /* of a second; negative: none */
  guint room;   /* instances that the hardware holds; 0 = not known */
  guint min_instances;
  guint max_instances;
  guint slots;
  bool on_demand;
  double target;
  int64_t idle_timeout_us;
  int64_t scale_down_delay_us;
  double load_s;      /* measured, or assumed */
  bool is_load_known; /* measured */
  double wait_mean_s; /* as it really was */
  VendTrace *trace;   /* of its requests alone */
} VendHistoryItem;

typedef struct
{
  GPtrArray *items; /* of VendHistoryItem, the one with most requests first */
  VendTrace *trace; /* of all together */
  int64_t from_us;  /* since the epoch */
  int64_t
      until_us; /* the end of the time, as the traces count: from the beginning of the history */
  bool is_complete;
} VendHistory;

typedef struct
{
  const char *model;   /* or NULL */
  const char *account; /* or NULL: the caller's */
  double days;
} VendHistoryAsked;

/* Times of the traces begin a load before the first request at the earliest. */
bool vend_history_fetch (VendClient *client, const VendHistoryAsked *asked, VendHistory **out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A saved reply; "-" is standard input. */
bool vend_history_load (const char *path, VendHistory **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The reply itself, for tests of what comes from a server. */
bool vend_history_read (const json_t *reply, VendHistory **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_history_free (VendHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHistory, vend_history_free)
