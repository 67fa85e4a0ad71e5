/* Checks that the store, the files, the processes and the live state of one data directory agree.
 * Changes nothing. One thread; blocks on disk, and reads whole tables. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "files/depot.h"
#include "json/json.h"
#include "runner/runner.h"

/* Rows of one check that are collected. */
#define VEND_AUDIT_MAX_ROWS 200

typedef struct
{
  char *subject; /* the prediction, file, process … */
  char *detail;  /* what is wrong with it */
} VendAuditRow;

typedef struct
{
  const char *name;
  const char *rule;    /* what has to hold, as a sentence */
  const char *skipped; /* why it was not looked at; NULL: it was */
  GPtrArray *rows;     /* of VendAuditRow: what breaks the rule */
} VendAuditCheck;

typedef struct
{
  const char *data_dir;
  const char *store; /* its database: a path, or a postgres:// URL */
  VendRunner *runner;
  VendDepot *depot;   /* where contents are; NULL: on the disk of the directory */
  const json_t *live; /* what `GET /-/debug?all=true` answers; NULL: no server runs */
  bool deep;          /* reads the bytes of every file */
} VendAuditOptions;

/* `*out` is of VendAuditCheck, in the order in which people read them. What is on its way may look
 * wrong for a moment while a server runs: see vend_audit_confirm. */
bool vend_audit_run (const VendAuditOptions *options, GPtrArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Takes the rows out of `now` that an earlier look did not have; returns how many are left. */
guint vend_audit_confirm (GPtrArray *now, const GPtrArray *earlier);
guint vend_audit_count (const GPtrArray *checks);
