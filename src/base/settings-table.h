/* The table of settings. Grouped as `vend config` shows them; included by settings.c only. */
#pragma once
#include "base/settings.h"

#define VEND_SECOND_US G_GINT64_CONSTANT (1000000)
#define VEND_MINUTE_US (60 * G_GINT64_CONSTANT (1000000))
#define VEND_DAY_US (24 * 60 * VEND_MINUTE_US)
#define VEND_MIB (G_GINT64_CONSTANT (1) << 20)
#define VEND_GIB (G_GINT64_CONSTANT (1) << 30)

static const VendSettingInfo setting_infos[] = {
  /* Where */
  { "data", VEND_SETTING_TEXT, "", 0, 0, "data directory; default ~/.local/share/vend" },
  { "listen", VEND_SETTING_TEXT, "127.0.0.1:8363", 0, 0,
    "address and port; port 0 takes a free one" },
  { "public-url", VEND_SETTING_TEXT, "", 0, 0,
    "origin in replies; default: the one the caller used" },
  { "trusted-proxies", VEND_SETTING_TEXT, "", 0, 0,
    "CIDRs, comma-separated, whose Forwarded and X-Forwarded-* headers count" },
  { "tls-cert", VEND_SETTING_TEXT, "", 0, 0, "certificate chain (PEM); with --tls-key" },
  { "tls-key", VEND_SETTING_TEXT, "", 0, 0, "private key (PEM)" },
  { "tls-auto", VEND_SETTING_BOOL, "false", 0, 0,
    "make a local CA and a certificate once, and use it" },
  { "log-level", VEND_SETTING_TEXT, "info", 0, 0, "debug, info, warn or error" },
  { "log-format", VEND_SETTING_TEXT, "auto", 0, 0, "auto, text or json" },

  /* HTTP */
  { "http-threads", VEND_SETTING_INT, "4", 2, 64, "threads that serve HTTP" },
  { "max-connections", VEND_SETTING_INT, "16384", 16, 1000000, "open connections, all together" },
  { "stream-keepalive", VEND_SETTING_SECONDS, "10s", VEND_SECOND_US / 10, 15 * VEND_SECOND_US,
    "a quiet event stream is sent a comment after this; clients wait 30 s" },
  { "max-body", VEND_SETTING_BYTES, "32M", 1024, VEND_GIB, "JSON request body" },
  { "max-file", VEND_SETTING_BYTES, "100M", 1024, 1024 * VEND_GIB, "file uploaded to /v1/files" },
  { "max-source", VEND_SETTING_BYTES, "2G", 1024, 1024 * VEND_GIB,
    "packed model source of a push" },
  { "max-source-files", VEND_SETTING_INT, "100000", 1, 10000000,
    "entries in a pushed source tree" },
  { "rate-limit-creates", VEND_SETTING_INT, "600", 0, 100000000,
    "creates a minute of a token and of an account; 0 = no limit" },
  { "rate-limit-other", VEND_SETTING_INT, "3000", 0, 100000000,
    "other requests a minute; looking at one prediction counts a tenth; 0 = no limit" },
  { "cors-origins", VEND_SETTING_TEXT, "*", 0, 0,
    "origins, comma-separated, whose pages may call; * = all, empty = none" },
  { "drain-timeout", VEND_SETTING_SECONDS, "30s", 0, VEND_DAY_US,
    "how long SIGTERM waits for requests" },

  /* Running models */
  { "max-instances", VEND_SETTING_INT, "0", 0, 10000,
    "instances of one model; 0 = one per CPU core" },
  { "hardware", VEND_SETTING_TEXT, "", 0, 0,
    "kinds of hardware, comma-separated: sku=name; default: cpu, and gpu where there are any" },
  { "hardware-units", VEND_SETTING_TEXT, "0", 0, 0,
    "instances on this machine, all together; 0 = twice the CPU cores; sku=4 has its own" },
  { "hardware-gpus", VEND_SETTING_TEXT, "", 0, 0,
    "GPUs of one instance, comma-separated: sku=1; such instances share the machine's GPUs" },
  { "deployment-delete-idle", VEND_SETTING_SECONDS, "15m", 0, 365 * VEND_DAY_US,
    "a deployment can be deleted when it has not run for this long" },
  { "boot-limit", VEND_SETTING_INT, "0", 0, 1000,
    "boots at the same time; 0 = cores / 2, at least 1" },
  { "idle-timeout", VEND_SETTING_SECONDS, "300s", 0, 365 * VEND_DAY_US,
    "the last instance stops after this" },
  { "scale-down-delay", VEND_SETTING_SECONDS, "60s", 0, VEND_DAY_US,
    "a surplus instance stops after this" },
  { "target", VEND_SETTING_INT, "100", 1, 100,
    "percent of the slots that the load is to take; a lower one buys headroom" },
  { "on-demand", VEND_SETTING_BOOL, "false", 0, 0,
    "idle instances stay until another model wants their hardware, whatever the timeouts say" },
  { "starvation-bound", VEND_SETTING_SECONDS, "600s", 0, VEND_DAY_US,
    "who waits this long for hardware goes before models that are loaded; 0 = nobody" },
  { "setup-timeout", VEND_SETTING_SECONDS, "10m", 1, VEND_DAY_US, "setup() of a model" },
  { "predict-timeout", VEND_SETTING_SECONDS, "30m", 1, 365 * VEND_DAY_US,
    "running time of one prediction" },
  { "train-timeout", VEND_SETTING_SECONDS, "24h", 1, 365 * VEND_DAY_US,
    "running time of one training" },
  { "cancel-grace", VEND_SETTING_SECONDS, "30s", 0, VEND_DAY_US,
    "how long a model may ignore a cancel before its instance is replaced" },
  { "stop-grace", VEND_SETTING_SECONDS, "10s", 0, VEND_DAY_US,
    "between SIGTERM and SIGKILL of a model" },
  { "max-queue", VEND_SETTING_INT, "1000000", 1, 100000000, "predictions that wait, all together" },
  { "lease", VEND_SETTING_SECONDS, "60s", 2 * G_GINT64_CONSTANT (1000000), VEND_DAY_US,
    "a director that says nothing for this long is given up, and its runs are tried again" },
  { "account-max-queued", VEND_SETTING_INT, "100000", 1, 100000000,
    "predictions of one account that wait" },
  { "account-max-running", VEND_SETTING_INT, "0", 0, 100000000,
    "predictions of one account that run at the same time, the others wait; 0 = no limit" },
  { "max-output", VEND_SETTING_BYTES, "64M", 1024, VEND_GIB, "JSON output of one prediction" },
  { "max-output-file", VEND_SETTING_BYTES, "10G", 1024, 1024 * VEND_GIB, "one output file" },
  { "max-input-file", VEND_SETTING_BYTES, "10G", 1024, 1024 * VEND_GIB,
    "one input file from a URL" },
  { "max-logs", VEND_SETTING_BYTES, "1M", 1024, VEND_GIB, "logs kept of one prediction" },

  /* Requests to others */
  { "webhook-allow", VEND_SETTING_TEXT, "", 0, 0,
    "CIDRs, comma-separated, that webhooks may go to beside public addresses" },
  { "input-allow", VEND_SETTING_TEXT, "", 0, 0,
    "CIDRs, comma-separated, that input files may come from beside public addresses" },

  /* Keeping data */
  { "retention", VEND_SETTING_SECONDS, "1h", 0, 36500 * VEND_DAY_US,
    "input, output and logs of API predictions; 0 keeps them" },
  { "file-ttl", VEND_SETTING_SECONDS, "24h", 60, 36500 * VEND_DAY_US,
    "files uploaded to /v1/files" },
  { "webhook-keep", VEND_SETTING_SECONDS, "1h", 0, 36500 * VEND_DAY_US,
    "delivered webhooks in the list, without their bodies" },
  { "webhook-dead-keep", VEND_SETTING_SECONDS, "7d", 0, 36500 * VEND_DAY_US,
    "webhooks that could not be delivered, for replay" },
  { "webhook-dead-max", VEND_SETTING_INT, "10000", 1, 100000000, "such webhooks of one account" },
  { "decision-keep", VEND_SETTING_SECONDS, "7d", 0, 36500 * VEND_DAY_US,
    "what the scheduler decided and why" },
  { "decision-max", VEND_SETTING_INT, "100000", 1, 100000000, "such decisions, the newest" },

  /* Metering */
  { "hardware-price", VEND_SETTING_TEXT, "", 0, 0,
    "price of a second, comma-separated: sku=0.0001" },
  { "metrics-public", VEND_SETTING_BOOL, "false", 0, 0, "/metrics needs no token" },
  { "metrics-deployables", VEND_SETTING_INT, "100", 1, 10000,
    "models and deployments with metrics of their own; the others share one" },

  /* Builds */
  { "allow-build-run", VEND_SETTING_BOOL, "false", 0, 0,
    "run build.run commands of pushed models" },
  { "build-timeout", VEND_SETTING_SECONDS, "30m", 1, 7 * VEND_DAY_US, "one build" },
  { "build-limit", VEND_SETTING_INT, "1", 1, 64, "builds at the same time" },
  { "cog-version", VEND_SETTING_TEXT, "0.23.1", 0, 0, "cog installed beside every model" },
  { "coglet-version", VEND_SETTING_TEXT, "0.23.1", 0, 0, "coglet installed beside every model" },
};
