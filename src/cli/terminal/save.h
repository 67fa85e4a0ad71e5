/* Files of the person at the terminal: written whole or not at all, and never over another one
 * unless asked. Main thread only; blocks. */
#pragma once
#include "cli/client/client.h"
#include "cli/terminal/terminal.h"

typedef struct
{
  const char *target; /* a file, a directory, or NULL for the current directory */
  bool may_overwrite;
  VendProgress *progress; /* or NULL */
} VendSave;

/* Whether `target` names a directory: it is one, or ends with a slash. */
bool vend_save_target_is_dir (const char *target);

/* INVALID when `target` is a file that is there and may not be overwritten. */
bool vend_save_check (const VendSave *save, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Downloads `url`. `index` of `total` tells apart several files of one target. `*out_path` is where
 * it lies; free with g_free. */
bool vend_save_url (const VendSave *save, VendClient *client, const char *url, guint index,
                    guint total, char **out_path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with a file of this machine, which is copied; `target` is a directory. */
bool vend_save_copy (const VendSave *save, const char *from, char **out_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Writes text to `target`, which must be a file. */
bool vend_save_text (const VendSave *save, const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `given`, or what of it can be the name of a visible file in a directory. Free with g_free. */
char *vend_save_plain_name (const char *given) G_GNUC_WARN_UNUSED_RESULT;

/* A plain file name from the last part of a URL's path. Free with g_free. */
char *vend_save_name_of_url (const char *url) G_GNUC_WARN_UNUSED_RESULT;
