/* `vend agent`: offers its machine to a control plane. Instances are processes of this machine, in
 * a data directory of the agent's own; what they need is fetched from the control plane once and
 * kept (docs/architecture/machines.md). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "machines/exchange.h"

typedef struct
{
  const char *data_dir;
  const char *vend_binary;
  const char *name;
  const json_t *hardware; /* as of vend_machines_join */
  const VendDialer *dialer;
  const char *authority; /* PEM, for directors */
  uint64_t cache_max;    /* bytes of what instances need, as far as none uses it; 0 = no limit */
  int stop_fd;           /* readable once the agent is to end */
} VendAgentOptions;

/* Until it is to end: instances live on, and the next agent finds them. CONFLICT when the control
 * plane refuses this machine for good. Main thread, once; the process is to exit afterwards. */
bool vend_agent_run (const VendAgentOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
