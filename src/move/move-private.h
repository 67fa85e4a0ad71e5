/* The parts of a move. */
#pragma once
#include "move/move.h"
#include "move/plan.h"
#include "store/db.h"

#define VEND_MOVE_KEPT "blobs.before-move" /* other names of the contents that were moved */

struct VendMove
{
  VendMoveOptions options;
  VendMovePlan *plan;
  int lock;
  char *blobs;
  char *spool;
  char *copied_store; /* where rows are copied to; NULL: they stay */
  VendDb *held;       /* keeps servers off the database that rows are moved from; or NULL */
  VendDb *to;         /* keeps them off the one that they are moved to; or NULL */
};

static inline void
vend_move_tell (const VendMove *move, const char *what, const char *subject, uint64_t n,
                uint64_t bytes)
{
  if (move->options.progress != NULL)
    move->options.progress (what, subject, n, bytes, move->options.progress_data);
}

/* ---- move-files.c */
bool vend_move_files (VendMove *move, uint64_t *out_missing, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- move-switch.c: each step may have been done by an earlier try */
bool vend_move_name_places (VendMove *move, GError **error) G_GNUC_WARN_UNUSED_RESULT;
