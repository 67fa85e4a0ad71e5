/* DATA/migrate-storage.json: a move of a data directory's storage that has begun and has not ended.
 * One thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct
{
  char *id;        /* of this move, which the database that it copies to has, too */
  char *store;     /* "sqlite" or "postgres"; empty: stays */
  char *files;     /* "disk" or "s3://bucket/prefix"; empty: they stay */
  bool is_decided; /* all is there and compared: what is left is to name the new places */
} VendMovePlan;

void vend_move_plan_free (VendMovePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMovePlan, vend_move_plan_free)

VendMovePlan *vend_move_plan_new (const char *store, const char *files) G_GNUC_WARN_UNUSED_RESULT;
/* `*out` is NULL without one. */
bool vend_move_plan_load (const char *data_dir, VendMovePlan **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_move_plan_save (const VendMovePlan *plan, const char *data_dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_move_plan_remove (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
