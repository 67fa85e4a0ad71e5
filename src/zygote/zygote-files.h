/* The launcher and the zygote's Python, as they are built into the program. */
#pragma once
#include <stddef.h>

typedef struct
{
  const char *name; /* NULL: the end */
  const unsigned char *data;
  size_t size;
} VendZygoteFile;

/* The first one is the launcher. */
extern const VendZygoteFile vend_zygote_files[];
