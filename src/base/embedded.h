/* Files that are built into the program; made by embed.py. */
#pragma once
#include <stddef.h>

typedef struct
{
  const char *name; /* NULL: the end */
  const unsigned char *data;
  size_t size;
} VendEmbeddedFile;
