/* How much of a disk folders take. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include <glib.h>

/* Bytes on disk below the folders (NULL-terminated), which may be missing; ends early above
 * `enough`, and when `stops` is set. Any thread; blocks on the disk. */
uint64_t vend_tree_bytes (const char *const *folders, uint64_t enough, const atomic_bool *stops);
