/* Files that a model made, taken from where it made them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  int fd;     /* of the model's root, O_PATH */
  uid_t user; /* that the model runs as; 0: the caller's own */
} VendModelRoot;

/* Opens `path` as a process with this root and working directory would, links included, and with
 * the rights of its user. Only a plain file on a disk or in memory is opened. The error names the
 * file. Does not block. */
bool vend_output_file_open (const VendModelRoot *root, const char *cwd, const char *path,
                            int *out_fd, struct stat *out_stat, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether somebody has it open to write to it; false also where that cannot be told. If nobody has,
 * nobody comes to it before `fd` is closed. */
bool vend_output_file_is_written (int fd);

/* Whether files can be opened below `root_fd` at all: needs Linux 5.6, and no filter against it. */
bool vend_output_file_can_open (int root_fd);

typedef struct
{
  int fd;           /* from vend_output_file_open */
  const char *path; /* as the model calls it */
  const char *name; /* for people */
  const char *type; /* NULL: by the name */
  const char *target;
  uint64_t max_size;
  bool must_stay; /* who writes to it is waited for, and a file that changes then is an error */
  struct stat before;
} VendOutputFileTaking;

/* Copies it to `target`, which must not be there; `*out` is the file object of the output. Blocks
 * as long as the file is large; any thread. Leaves nothing when it fails: TOO_LARGE, CONFLICT for
 * one that has changed, STORAGE. */
bool vend_output_file_take (const VendOutputFileTaking *taking, json_t **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
