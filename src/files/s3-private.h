/* Shared by the files of the S3 client. */
#pragma once
#include <pthread.h>

#include "files/s3.h"

struct VendS3
{
  char *base;   /* "https://host:port/bucket" */
  char *host;   /* as in the Host header */
  char *path;   /* "/bucket" */
  char *prefix; /* "", or "a/b/" */
  char *region;
  char *key_id;
  char *secret;
  char *session; /* or NULL */
  char *place;
  char *shown;
  pthread_mutex_t lock;
  int64_t away_until_us;
  GQueue idle; /* of CURL, whose connections are open */
};
