/* `vend doctor --audit`: does everything in a data directory add up? Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/arguments/options.h"
#include "files/depot.h"

/* Prints what was found; false without an error when something was. `data_dir` NULL: the default
 * one. A server that runs on it is asked for its live state, which takes an administrator's token.
 */
bool vend_doctor_audit (const VendConnection *connection, const char *data_dir, bool deep,
                        GError **error);

/* A data directory that no server uses. */
typedef struct
{
  const char *data_dir;
  const char *store; /* its database */
  VendDepot *depot;  /* where its files are; NULL: there */
  bool deep;
} VendStoppedData;

/* `*out` is of VendAuditCheck. */
bool vend_doctor_look (const VendStoppedData *stopped, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
