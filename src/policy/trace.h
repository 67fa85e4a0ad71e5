/* A trace of requests: models and times; the input of a simulation. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_TRACE_MAX_REQUESTS 20000000
#define VEND_TRACE_MAX_MODELS 100000

typedef struct
{
  int64_t at_us; /* from the start of the trace */
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
  int64_t load_us; /* where `loads` has no entry */
  GArray *loads;   /* of VendTraceLoad, by time: load time from then on; or NULL */
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
/* Loads of the model take this long from now on; of equal times the last added one counts. */
void vend_trace_add_load (VendTrace *trace, guint model, int64_t at_us, int64_t load_us);
/* Call after the last request and load were added. */
void vend_trace_sort (VendTrace *trace);
/* The time of a load that begins at `at_us`; before the first entry the first entry counts. */
int64_t vend_trace_load_us (const VendTrace *trace, guint model, int64_t at_us);
/* The time of the last request. */
int64_t vend_trace_end_us (const VendTrace *trace);

/* Lines of "time_s,model,run_s[,load_s]", in any order; a first line that names these columns and
 * empty lines are skipped. A load_s holds for loads of the model that begin at the line's time or
 * later, until the model's next load_s. The first load_s holds for earlier loads too; without any,
 * 10 s. INVALID names the line and the column. */
bool vend_trace_parse (const char *text, gsize size, VendTrace **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  guint models;
  double hours;
  double rate; /* requests an hour of all models together */
  guint32 seed;
} VendSynthetic;

/* Requests like those of real image generation services; see synthetic.c. */
VendTrace *vend_trace_synthetic (const VendSynthetic *options) G_GNUC_WARN_UNUSED_RESULT;
