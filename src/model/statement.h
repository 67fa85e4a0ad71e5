/* The statement of an account for a time: a line for each model or deployment, kind of hardware and
 * price. Whole numbers throughout; plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/instance-usage.h"
#include "model/usage.h"

typedef struct
{
  int64_t model_id;
  char *model;      /* "owner/name"; NULL: deleted */
  char *deployment; /* "owner/name", or NULL */
  char *hardware;
  int64_t price; /* of a second, as of vend_prices_of */
  int64_t predictions;
  int64_t run_us;
  int64_t phase_us[VEND_PHASE_N]; /* of instances */
  int64_t billed_us;              /* of runs and instances */
} VendStatementLine;

void vend_statement_line_free (VendStatementLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendStatementLine, vend_statement_line_free)

typedef struct VendStatement VendStatement;

/* Sums without a price have that of `prices`, borrowed. */
VendStatement *vend_statement_new (const VendPrices *prices);
void vend_statement_free (VendStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendStatement, vend_statement_free)

/* Takes a sum and adds it to its line. */
void vend_statement_add (VendStatement *statement, VendStatementLine *take);

/* Exact; false when a billed sum has no price, and is left out. */
bool vend_statement_amount (const VendStatement *statement, VendAmount *out);

/* {"lines": [...], "total": {...}} in the order of names. */
json_t *vend_statement_to_json (VendStatement *statement);
/* RFC 4180, with a line of headings and without a total; free with g_free. */
char *vend_statement_to_csv (VendStatement *statement) G_GNUC_WARN_UNUSED_RESULT;
