/* The place that an instance of a model runs in: its own copy of the source, its own /tmp, the
 * sources of others read-only. Made before its first process and gone with the instance's folder.
 *
 *   DIR/work/src     the working copy, and the working directory
 *   DIR/overlay/     what an overlay keeps of changes
 *   DIR/tmp/         /tmp, or what TMPDIR says
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <gio/gio.h>

typedef enum
{
  VEND_COPY_AUTO,    /* the first of the others that works here */
  VEND_COPY_OVERLAY, /* a mount that shows the source and keeps changes elsewhere */
  VEND_COPY_REFLINK, /* a copy whose unchanged blocks are those of the source */
  VEND_COPY_PLAIN,
} VendCopyKind;

#define VEND_COPY_KINDS "auto, overlay, reflink or copy"

typedef struct
{
  const char *dir;        /* absolute; the rest as well */
  const char *source;     /* a folder that does not change */
  char *const *read_only; /* folders that the model may not write to; NULL = none */
  /* Symbolic links in the working copy, which the source does not have: a path below it, then where
   * it leads, and so on; NULL = none. */
  char *const *links;
  char *const *argv;
  char *const *env; /* folders below /tmp named in argv and env stay reachable */
  VendCopyKind kind;
  bool is_bare; /* the working copy alone: a sandbox sees to /tmp and to the rest */
  uid_t owner;  /* of all that the model may change; 0: the server's user */
  int idmap;    /* with an owner: a namespace of vend_idmap_new; the workspace takes it */
} VendWorkspaceOptions;

typedef struct VendWorkspace VendWorkspace;

/* False for a word outside of VEND_COPY_KINDS. */
bool vend_copy_kind_parse (const char *word, VendCopyKind *out) G_GNUC_WARN_UNUSED_RESULT;

/* Clears leftovers of an earlier workspace in `dir`, then probes in a short-lived child which
 * mounts work. Takes milliseconds: no copy is made yet. */
bool vend_workspace_new (const VendWorkspaceOptions *options, VendWorkspace **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_workspace_free (VendWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendWorkspace, vend_workspace_free)

/* Whether vend_workspace_copy has work to do. */
bool vend_workspace_wants_copy (const VendWorkspace *workspace);
/* Blocks in proportion to the source; any thread. Leaves nothing on failure. */
bool vend_workspace_copy (const VendWorkspace *workspace, GCancellable *cancellable, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* In the child between fork and exec: system calls only. Ends in the working copy. */
bool vend_workspace_enter (const VendWorkspace *workspace);

/* "overlay", "reflink" or "copy"; a copy has reflinks too, where possible. Static. */
const char *vend_workspace_kind (const VendWorkspace *workspace);
/* Why there is no overlay, and why there are no mounts at all; NULL: there are. Borrowed. */
const char *vend_workspace_why_no_overlay (const VendWorkspace *workspace);
const char *vend_workspace_why_no_mounts (const VendWorkspace *workspace);
/* The working directory, and the folder that is /tmp or TMPDIR; outside of mounts. Borrowed. */
const char *vend_workspace_cwd (const VendWorkspace *workspace);
const char *vend_workspace_tmp (const VendWorkspace *workspace);
/* The namespace of the owner, or -1. Borrowed. */
int vend_workspace_idmap (const VendWorkspace *workspace);
/* The folder for TMPDIR, or NULL where /tmp is the instance's own. Borrowed. */
const char *vend_workspace_tmpdir (const VendWorkspace *workspace);
