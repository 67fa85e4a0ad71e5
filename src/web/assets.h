/* Files of the page, as they were built into the binary (web/build.py). */
#pragma once
#include <stddef.h>

typedef struct
{
  const char *path; /* "/index.html", "/assets/index-3f9a.js" */
  const char *type;
  const char *hash; /* of the content */
  const unsigned char *bytes;
  size_t size;
  const unsigned char *gzip; /* NULL where it gains nothing */
  size_t gzip_size;
} VendWebAsset;

/* Ends with a NULL path; empty in a build without the page. */
extern const VendWebAsset vend_web_assets[];
/* Changes with any file; empty without the page. */
extern const char vend_web_assets_build[];
