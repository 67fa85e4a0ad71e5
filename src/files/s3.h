/* Requests to a bucket of an S3 server: signed, tried again, addressed by path. All functions block
 * on the network; any thread but the core thread, several at a time, unless they say otherwise. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendS3 VendS3;

typedef struct
{
  const char *place;    /* "s3://bucket/prefix", or without a prefix */
  const char *endpoint; /* "https://host:port"; empty: that of AWS for the region */
  const char *region;   /* or NULL */
  const char *key_id;
  const char *secret;
  const char *session; /* token of temporary credentials; or NULL */
} VendS3Options;

/* INVALID, naming the setting or variable, for options that cannot work. Asks no server. */
bool vend_s3_new (const VendS3Options *options, VendS3 **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_s3_free (VendS3 *s3);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendS3, vend_s3_free)

typedef struct
{
  const char *method;
  const char *name;  /* of the object, behind the prefix; NULL: the bucket */
  const char *query; /* sorted by name, values escaped, each name with '='; or NULL */
  const char *body;  /* in memory; or NULL */
  gsize body_size;
  int fd; /* without `body`: `size` bytes of this file from `start` on */
  uint64_t start;
  uint64_t size;
  const char *sha256; /* of what is sent, which the server compares; NULL: nothing is sent */
  const char *range;  /* "0-99"; or NULL */
  /* Takes the body of a good answer; false ends the call, and has set `*error`. Without it the body
   * is `text` of the answer. */
  bool (*sink) (const char *bytes, gsize size, void *data);
  void *data;
  bool once;       /* is not tried again after anything came */
  guint max_tries; /* 0: as many as usual */
} VendS3Request;

typedef struct
{
  long status;
  uint64_t size;      /* Content-Length */
  int64_t changed_us; /* Last-Modified; 0: none */
  char *etag;
  GString *text;
} VendS3Answer;
void vend_s3_answer_clear (VendS3Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendS3Answer, vend_s3_answer_clear)

/* Tries again, with pauses, after lost connections, silence, and answers that ask for it. NOT_FOUND
 * for a missing object; STORAGE when what is sent has another checksum; UNAVAILABLE, with the
 * reason, for everything else that the server or the way to it causes; CANCELED when the sink ended
 * it. */
bool vend_s3_call (VendS3 *s3, const VendS3Request *request, VendS3Answer *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* An URL that reads the object without credentials for `life_s` seconds; the answer has this
 * content type. Pure but for the clock. Free with g_free. */
char *vend_s3_link (const VendS3 *s3, const char *name, const char *content_type, guint life_s)
    G_GNUC_WARN_UNUSED_RESULT;

/* What the bucket is, for people and logs: no credentials. */
const char *vend_s3_shown (const VendS3 *s3);
/* The place alone, as "s3://bucket/prefix". */
const char *vend_s3_place (const VendS3 *s3);
const char *vend_s3_prefix (const VendS3 *s3);

/* ---- s3-list.c */
/* `name` is behind the prefix. */
typedef void (*VendS3Visit) (const char *name, uint64_t size, int64_t changed_us, void *data);
/* Objects whose names begin with `under`, in order. */
bool vend_s3_list (VendS3 *s3, const char *under, VendS3Visit visit, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether nothing is under the prefix. */
bool vend_s3_is_empty (VendS3 *s3, bool *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- s3-upload.c */
/* Puts the bytes of the open file as one object, which is seen when it is complete; the server
 * compares what it gets with `sha256`, or with that of each part. Constant memory. */
bool vend_s3_upload (VendS3 *s3, const char *name, int fd, uint64_t size, const char *sha256,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends uploads in parts that began before `before_us` and were never completed. */
bool vend_s3_abort_old (VendS3 *s3, int64_t before_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
