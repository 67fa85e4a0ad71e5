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
  char *name;
  int64_t load_us;
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
/* After the last one was added. */
void vend_trace_sort (VendTrace *trace);
/* The time of the last request. */
int64_t vend_trace_end_us (const VendTrace *trace);

/* Lines of "time_s,model,run_s[,load_s]", in any order; a first line that starts with "time_s" and
 * empty lines are passed over. A model's load takes what the last line with a load_s says, 10 s
 * when there is none. INVALID names the line. */
bool vend_trace_parse (const char *text, VendTrace **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  guint models;
  double hours;
  double rate; /* requests an hour, all models together */
  guint32 seed;
} VendSynthetic;

/* Requests as real services that make images see them; see synthetic.c. */
VendTrace *vend_trace_synthetic (const VendSynthetic *options) G_GNUC_WARN_UNUSED_RESULT;
