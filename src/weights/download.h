/* Downloads files, several at once, each checked while it arrives. One that was cut off, also by a
 * kill, goes on where it was when its checksum is known. Blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/network.h"

#define VEND_DOWNLOAD_PART ".part"
#define VEND_DOWNLOADS_AT_ONCE 4

typedef struct
{
  char *label; /* for messages: "model.safetensors of hf://lab/model@main" */
  char *url;
  const char *token; /* NULL: none is sent */
  char *sha256;      /* expected; NULL: not known */
  char *git;         /* expected SHA-1 as git counts it; or NULL */
  int64_t size;      /* expected; -1: not known */
  /* Afterwards: the file is TO_DIR/<got>. */
  char *got;
  int64_t got_size;
} VendDownload;

VendDownload *vend_download_new (const char *label, const char *url) G_GNUC_WARN_UNUSED_RESULT;
void vend_download_free (VendDownload *download);

typedef struct
{
  const char *parts_dir; /* of what is not complete; on the file system of `to_dir`, as all stays
                            there */
  const char *to_dir;
  const VendNetworks *allow;                  /* beside public addresses */
  const char *setting;                        /* that allows more, for messages */
  uint64_t max_size;                          /* of one file */
  void (*say) (const char *line, void *data); /* or NULL */
  void *data;
  const gint *stops; /* atomic: not 0 = CANCELED; or NULL */
} VendDownloads;

/* `all` is of VendDownload. The first failure ends all; RUNNER when a server refuses or sends
 * something else, UNAVAILABLE when it cannot be reached. */
bool vend_downloads_run (const VendDownloads *how, const GPtrArray *all, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A short text, of at most `limit` bytes. Free with g_free. */
bool vend_download_text (const VendDownloads *how, const VendDownload *what, gsize limit,
                         char **out, gsize *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes parts that nobody has written to for `life_us`. */
void vend_downloads_sweep (const char *parts_dir, int64_t life_us);
