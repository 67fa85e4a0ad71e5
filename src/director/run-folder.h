/* The folder of the runs on one slot, for what coglet writes beside an output. It is kept from run
 * to run while it is empty: making and removing a folder is a write to the disk. Main context. */
#pragma once
#include <stdbool.h>
#include <time.h>
#include <glib.h>

typedef struct
{
  char *path;
  bool is_made;
  bool stays;                  /* it is mounted somewhere: only what lies in it goes */
  struct timespec empty_since; /* the last change, after which it was found empty; 0: unknown */
} VendRunFolder;

/* `take` is the path; its parent is made with it. */
void vend_run_folder_init (VendRunFolder *folder, char *take);
/* Frees the path; the folder stays. */
void vend_run_folder_clear (VendRunFolder *folder);
/* Before a run. */
bool vend_run_folder_open (VendRunFolder *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After a run: whatever lies in it is removed. */
void vend_run_folder_close (VendRunFolder *folder);
