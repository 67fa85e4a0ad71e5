/* The control plane's side of builds: a queue of them, each run by a `vend builder` process; their
 * logs, and what becomes of their results. Any thread but the core thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/settings.h"
#include "files/blobs.h"
#include "httpd/httpd.h"
#include "model/file.h"
#include "model/model.h"
#include "registry/registry.h"
#include "runner/runner.h"
#include "store/store.h"
#include "weights/hub.h"

typedef struct VendBuilds VendBuilds;

typedef struct
{
  VendStore *store;
  VendBlobs *blobs; /* of the files that models show */
  VendRegistry *registry;
  VendRunner *runner; /* of the instances that versions are in use by */
  const VendSettings *settings;
  const char *data_dir;    /* uploads/, builds/, versions/, venvs/ and cache/ lie in it */
  VendHub hub;             /* of weights; copied */
  const char *vend_binary; /* binary that is started as `vend builder` */
  /* A model has another latest version, which is stored. On a thread of the builds; or NULL. */
  void (*made) (int64_t model_id, void *data);
  void *data;
} VendBuildsOptions;

/* Makes the folders, clears what an interrupted build left, and queues again what had not ended. */
bool vend_builds_open (const VendBuildsOptions *options, VendBuilds **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends running builds and their logs; they are built again after the next start. Never blocks. */
void vend_builds_close (VendBuilds *builds);
/* Closes, and blocks until that is done. */
void vend_builds_free (VendBuilds *builds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBuilds, vend_builds_free)

/* Removes versions and environments that no row, build or instance uses, and what builds left
 * elsewhere; nothing while a build runs. Blocks on disk. */
void vend_builds_sweep (VendBuilds *builds);

/* Whether a version can be had without a build: not when an older Vend built it, and did not look
 * for what its source says of the model, nor when its weights come from a branch. Blocks on disk.
 */
bool vend_builds_may_reuse (const VendBuilds *builds, const char *version);
/* Makes a version that was built the latest one of its model, with what its source says of the
 * model. CONFLICT when it is gone. Blocks on disk. */
bool vend_builds_reuse (const VendBuilds *builds, VendVersion *version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Queues a build whose row is stored. */
void vend_builds_start (VendBuilds *builds, const VendBuild *build);
bool vend_builds_is_running (VendBuilds *builds, const char *id);
void vend_builds_cancel (VendBuilds *builds, const char *id);
/* Sends the log so far, then what comes, until the build ends. Takes the stream. */
void vend_builds_follow (VendBuilds *builds, const char *id, VendStream *stream);

/* Where an upload's bytes are once their hash was checked, and until then. Free with g_free. */
char *vend_builds_upload_path (const VendBuilds *builds, const char *id) G_GNUC_WARN_UNUSED_RESULT;
char *vend_builds_upload_part_path (const VendBuilds *builds, const char *id)
    G_GNUC_WARN_UNUSED_RESULT;
/* The archive that an export has made, for a day. Free with g_free. */
char *vend_builds_archive_path (const VendBuilds *builds, const VendBuild *build)
    G_GNUC_WARN_UNUSED_RESULT;
/* The source of a version. Free with g_free. */
char *vend_builds_source_dir (const VendBuilds *builds, const char *version)
    G_GNUC_WARN_UNUSED_RESULT;
/* Marks the bytes, durably, as those of the announced SHA-256. */
bool vend_builds_upload_keep (const VendBuilds *builds, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_builds_upload_is_complete (const VendBuilds *builds, const VendUpload *upload);
