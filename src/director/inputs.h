/* Input files of one run: local ones are served to the model, others are fetched first. Main
 * context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "director/loopback.h"
#include "json/json.h"
#include "machines/exchange.h"
#include "net/egress.h"

#define VEND_INPUTS_MAX 1000

typedef struct VendInputs VendInputs;

/* `problem` is NULL when all files are in place and `input` has their addresses. Not called from
 * inside vend_inputs_start. */
typedef void (*VendInputsReady) (const char *problem, void *data);

typedef struct
{
  VendEgress *egress;
  const VendDialer *dialer; /* local ones are contents of the control plane's; or NULL */
  VendLoopback *loopback;
  const char *dir; /* files go to DIR/inputs/<cog id>/ */
  const char *cog_id;
  uint64_t max_file;
  int64_t timeout_us; /* for all of them */
  int64_t stall_us;   /* so long one may be slower than */
  uint64_t min_speed; /* bytes a second */
  VendInputsReady ready;
  void *data;
} VendInputsOptions;

/* `input` is changed in place; `files` is the array of the `run` command. NULL when there are no
 * files at all: the input is ready. */
VendInputs *vend_inputs_start (const VendInputsOptions *options, json_t *input, const json_t *files)
    G_GNUC_WARN_UNUSED_RESULT;
/* Stops downloads and removes the files. */
void vend_inputs_free (VendInputs *inputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInputs, vend_inputs_free)
