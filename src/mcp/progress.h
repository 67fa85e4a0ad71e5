/* What a run in progress tells: a percentage and a line for people. Pure. */
#pragma once
#include <glib.h>

#include "model/prediction.h"

/* The percentage that the end of the logs names last ("42%|####"), or -1. */
double vend_mcp_percent (const char *logs);

/* One line, without control characters. Free with g_free. */
char *vend_mcp_progress_text (const VendPrediction *now) G_GNUC_WARN_UNUSED_RESULT;

/* The number of the next note, which must be above that of the last: the percentage where there is
 * one that is, else a little more than before. */
double vend_mcp_progress_next (double last, double percent);
