/* Calendar months, UTC. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* The beginning of the month of a moment, and of the next month. */
int64_t vend_month_begin (int64_t at_us);
int64_t vend_month_end (int64_t at_us);
/* Reads "2026-11" as the beginning of that month, from 1970 on; false for other texts. */
bool vend_month_parse (const char *text, int64_t *out_us) G_GNUC_WARN_UNUSED_RESULT;
/* "2026-11"; free with g_free. */
char *vend_month_text (int64_t at_us) G_GNUC_WARN_UNUSED_RESULT;
