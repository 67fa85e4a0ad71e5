/* Frames between the control plane and a director: 4 bytes length, big endian, then one JSON
 * object. Pure; any thread, one thread per reader. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

#define VEND_FRAME_HEADER_SIZE 4

/* Prefetch limit: runs that a director takes beyond its slots, or as many as its slots if that is
 * more. */
#define VEND_PREFETCH_MAX 16

/* Room besides output and logs: input of a run, metrics, errors, setup logs. */
#define VEND_FRAME_SLACK ((gsize) 64 << 20)

/* The longest frame for these limits. A log byte takes up to six in JSON ("\u001b"). */
gsize vend_frame_limit (uint64_t max_output, uint64_t max_logs);

/* The size of `frame` as written by vend_frame_append, without the header. */
gsize vend_frame_size (const json_t *frame);

/* Appends `frame` to `out`; TOO_LARGE leaves `out` as it was. */
bool vend_frame_append (GByteArray *out, const json_t *frame, gsize limit, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct VendFrameReader VendFrameReader;

VendFrameReader *vend_frame_reader_new (gsize limit) G_GNUC_WARN_UNUSED_RESULT;
void vend_frame_reader_free (VendFrameReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendFrameReader, vend_frame_reader_free)

void vend_frame_reader_feed (VendFrameReader *reader, const void *data, gsize size);

/* The next whole frame in `*out`. A frame longer than VEND_FRAME_LARGE is slow to parse, so its
 * text is in `*out_text` instead, for vend_frame_parse. Both are NULL when more bytes are needed.
 * An error is final: the stream is out of step. */
#define VEND_FRAME_LARGE ((gsize) 256 * 1024)
bool vend_frame_reader_take (VendFrameReader *reader, json_t **out, GBytes **out_text,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_frame_parse (GBytes *text, json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
