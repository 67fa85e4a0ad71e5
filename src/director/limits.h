/* What bounds a model server and its children: control groups where the machine has them, else
 * limits of each process; and whether their memory ran out. Director's main context, apart from
 * the function that says otherwise. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "director/spec.h"

typedef struct VendModelLimits VendModelLimits;

/* Where the kernel counts its kills for want of memory; another file in tests, for which other
 * programs on the machine are none of their business. Set before the first use. */
extern const char *vend_model_limits_counters;

/* Makes the groups. `spec` must stay. */
bool vend_model_limits_new (const VendSpec *spec, VendModelLimits **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends what is left in the groups and removes them. */
void vend_model_limits_free (VendModelLimits *limits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendModelLimits, vend_model_limits_free)

/* Puts the calling process under them; its children are born there. Between fork and exec: system
 * calls only. */
bool vend_model_limits_enter (const VendModelLimits *limits);

/* The same for the groups alone and another process. */
bool vend_model_limits_move (const VendModelLimits *limits, pid_t process, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Ends all processes in the groups. */
void vend_model_limits_kill (const VendModelLimits *limits);

/* Every few seconds: kills for want of memory that the model outlived are forgotten. */
void vend_model_limits_tick (VendModelLimits *limits);

/* After a process of the model was lost: "the model ran out of memory (limit 512 MiB)" when the
 * kernel has killed for want of memory, else NULL. Free with g_free. */
char *vend_model_limits_out_of_memory (const VendModelLimits *limits) G_GNUC_WARN_UNUSED_RESULT;
