/* What stands between a model and the machine, from strong to weak, and the settings that ask for
 * it. Pure. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "model/network.h"

/* Users of models, where the server is root: this number and that of the account. Numbers from here
 * on are nobody's: above those of logins, containers and systemd. The first is for trying. */
#define VEND_SANDBOX_FIRST_UID ((uid_t) 1900000000)

typedef enum
{
  VEND_ISOLATION_SANDBOX,  /* namespaces, a filter of system calls, Landlock, a user of its own */
  VEND_ISOLATION_LANDLOCK, /* Landlock and the filter: one process beside the others */
  VEND_ISOLATION_NONE,
} VendIsolation;

#define VEND_ISOLATION_SETTINGS "auto, required or off"

/* In a network namespace of a model. */
#define VEND_INSIDE_PROXY_PORT 3128

typedef enum
{
  VEND_ISOLATE_AUTO,     /* the strongest that works here */
  VEND_ISOLATE_REQUIRED, /* nothing starts in a weaker one than the sandbox */
  VEND_ISOLATE_OFF,
} VendIsolationSetting;

/* False for a word outside of VEND_ISOLATION_SETTINGS. */
bool vend_isolation_setting_parse (const char *word, VendIsolationSetting *out)
    G_GNUC_WARN_UNUSED_RESULT;
/* "sandbox", "landlock", "none"; static. */
const char *vend_isolation_word (VendIsolation isolation);
bool vend_isolation_parse (const char *word, VendIsolation *out) G_GNUC_WARN_UNUSED_RESULT;
/* `env`, whose variables say which way leads out of a namespace with that network. Free with
 * g_strfreev. */
char **vend_network_environment (VendNetworkKind network, char **env) G_GNUC_WARN_UNUSED_RESULT;
