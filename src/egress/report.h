/* Reports of a proxy: the first of a kind at once, repeats added up, at most so many lines in a
 * while. On the thread of its context. */
#pragma once
#include "egress/egress.h"

typedef struct VendProxyReporter VendProxyReporter;

VendProxyReporter *vend_proxy_reporter_new (const VendProxyOptions *options)
    G_GNUC_WARN_UNUSED_RESULT;
/* Reports what is left. */
void vend_proxy_reporter_free (VendProxyReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendProxyReporter, vend_proxy_reporter_free)

void vend_proxy_reporter_add (VendProxyReporter *reporter, const VendProxyReport *report);
