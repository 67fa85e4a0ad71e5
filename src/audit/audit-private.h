/* One look of an audit. */
#pragma once
#include <stdint.h>

#include "audit/audit.h"
#include "store/db.h"

typedef enum
{
  CHECK_DATABASE,
  CHECK_ENDS,
  CHECK_TIMES,
  CHECK_RESULTS,
  CHECK_ATTEMPTS,
  CHECK_OVERLAPS,
  CHECK_USAGE,
  CHECK_METERING,
  CHECK_WEBHOOKS,
  CHECK_OUTPUTS,
  CHECK_INPUTS,
  CHECK_STORED,
  CHECK_SHOWN,
  CHECK_SECRETS,
  CHECK_CONTENTS,
  CHECK_BLOBS,
  CHECK_VERSIONS,
  CHECK_WEIGHTS,
  CHECK_REGISTRY,
  CHECK_UPLOADS,
  CHECK_LEFTOVERS,
  CHECK_PROCESSES,
  CHECK_OPEN,
  CHECK_INSTANCES,
  CHECK_DIRECTORS,
  CHECK_SLOTS,
  CHECK_GPUS,
  CHECK_N
} CheckId;

typedef struct
{
  const VendAuditOptions *options;
  VendDb *db;
  int64_t now_us;
  GPtrArray *checks; /* of VendAuditCheck, by CheckId */
  GHashTable *kept;  /* set of ids of the instances that the runner has */
  VendDepot *depot;
  GHashTable *objects; /* SHA-256 → VendDepotStat, of a depot elsewhere; NULL: on the disk */
  GHashTable *live;    /* id → json_t (borrowed) of an instance; empty without a server */
} Audit;

void vend_audit_found (Audit *audit, CheckId id, const char *subject, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* ---- audit-files.c: contents, versions, uploads, what was left behind */
bool vend_audit_files (Audit *audit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- audit-secrets.c */
bool vend_audit_secrets (Audit *audit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- audit-live.c: processes and the state of the server */
bool vend_audit_instances (Audit *audit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_audit_live (Audit *audit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
