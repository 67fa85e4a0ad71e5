/* How strong isolation can be on this machine, found out by trying. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "sandbox/isolation.h"

typedef struct
{
  VendIsolation kind; /* the strongest that works */
  bool own_user; /* a model gets a user of its own: only a server that is root can give it one */
  char *why;     /* it is no stronger; NULL: it is the strongest */
} VendIsolationFound;

/* Starts a program in a sandbox that it makes in `data_dir`. Blocks for some 20 ms. Free with
 * vend_isolation_found_free. */
VendIsolationFound *vend_isolation_probe (const char *data_dir, VendIsolationSetting setting)
    G_GNUC_WARN_UNUSED_RESULT;
VendIsolationFound *vend_isolation_found_copy (const VendIsolationFound *found)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_isolation_found_free (VendIsolationFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendIsolationFound, vend_isolation_found_free)

/* One line for people. Free with g_free. */
char *vend_isolation_describe (const VendIsolationFound *found) G_GNUC_WARN_UNUSED_RESULT;
