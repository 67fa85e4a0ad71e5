/* The object `lock` of a bucket of backups: one writer at a time. A thread renews it, and whoever
 * finds an old one takes it, since a killed writer leaves it behind. Blocks on the network. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "files/s3.h"

typedef struct VendBucketLock VendBucketLock;

/* BUSY while another writer has it. `s3` is borrowed, and outlives it; `path` is for people. */
bool vend_bucket_lock_take (VendS3 *s3, const char *path, VendBucketLock **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* BUSY when another writer took it because this one was not heard of for too long. */
bool vend_bucket_lock_check (VendBucketLock *lock, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes it. */
void vend_bucket_lock_free (VendBucketLock *lock);
