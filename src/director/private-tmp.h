/* A /tmp of its own for the model server: a bind mount in a new mount namespace where the kernel
 * allows it, otherwise only TMPDIR. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct
{
  bool mount;       /* else only TMPDIR is set */
  bool user_spaces; /* a user namespace is needed first */
  char *source;     /* DIR/tmp */
  char uid_map[64];
  char gid_map[64];
  const char *reason; /* why there is no mount; static */
} VendPrivateTmp;

/* Decides; tries the calls in a short-lived child. `argv` and `env` are the model server's: when
 * one of its paths lies under /tmp, a mount would hide it. */
void vend_private_tmp_plan (VendPrivateTmp *tmp, const char *dir, const char *cwd,
                            char *const *argv, char *const *env);
void vend_private_tmp_clear (VendPrivateTmp *tmp);

/* In the child between fork and exec: system calls only. */
bool vend_private_tmp_enter (const VendPrivateTmp *tmp);
