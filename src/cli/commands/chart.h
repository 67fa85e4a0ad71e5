/* Charts of simulations. gnuplot draws them; this writes its script and runs it. Main thread only;
 * blocks until it is drawn. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "policy/simulate.h"

typedef struct
{
  const char *name;
  const VendSimulated *result;
  double cost; /* 0: not shown */
} VendChartLine;

typedef struct
{
  guint requests;
  guint models;
  guint units;
  const VendChartLine *lines;
  guint n_lines;
} VendChart;

/* INVALID unless `path` is "-" or ends with a format that can be drawn; UNAVAILABLE when gnuplot is
 * not there. For before the work that is to be shown. */
bool vend_chart_check (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The script of gnuplot for a path that was checked; `columns` wide when it is "-". Pure. Free with
 * g_free. */
char *vend_chart_script (const VendChart *chart, const char *path, guint columns)
    G_GNUC_WARN_UNUSED_RESULT;

/* To the file, which is replaced only when all went well, or to stdout for "-". */
bool vend_chart_draw (const VendChart *chart, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
