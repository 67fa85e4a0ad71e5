/* What was asked of the models, and when: the input of a simulation. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_TRACE_MAX_REQUESTS 20000000
#define VEND_TRACE_MAX_MODELS 100000

typedef struct
{
  int64_t at_us; /* from the begin of the trace */
  int64_t run_us;
  guint model; /* index */
} VendTraceRequest;

typedef struct
{
  int64_t at_us;
  int64_t load_us;
} VendTraceLoad;

typedef struct
{
  char *name;
  int64_t load_us; /* where `loads` says nothing */
  GArray *loads;   /* of VendTraceLoad, by time: what a load takes from then on; or NULL */
} VendTraceModel;

typedef struct
{
  GArray *requests; /* of VendTraceRequest, by time */
  GArray *models;   /* of VendTraceModel */
} VendTrace;

VendTrace *vend_trace_new (void);
void vend_trace_free (VendTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendTrace, vend_trace_free)

guint vend_trace_add_model (VendTrace *trace, const char *name, int64_t load_us);
void vend_trace_add (VendTrace *trace, guint model, int64_t at_us, int64_t run_us);
/* Loads of the model take this long from now on; of equal times the last one counts. */
void vend_trace_add_load (VendTrace *trace, guint model, int64_t at_us, int64_t load_us);
/* After the last one was added. */
void vend_trace_sort (VendTrace *trace);
/* What a load takes that begins at this time; before the first of its loads: what that takes. */
int64_t vend_trace_load_us (const VendTrace *trace, guint model, int64_t at_us);
/* The time of the last request. */
int64_t vend_trace_end_us (const VendTrace *trace);

/* Lines of "time_s,model,run_s[,load_s]", in any order; a first line that names these columns and
 * empty lines are passed over. A load_s holds for loads of the model that begin at the line's time
 * or later, until the next one of the model; the first one for earlier loads too; 10 s when there
 * is none. INVALID names the line and the column. */
bool vend_trace_parse (const char *text, gsize size, VendTrace **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  guint models;
  double hours;
  double rate; /* requests an hour, all models together */
  guint32 seed;
} VendSynthetic;

/* Requests as real services that make images see them; see synthetic.c. */
VendTrace *vend_trace_synthetic (const VendSynthetic *options) G_GNUC_WARN_UNUSED_RESULT;
