/* The Range header. Pure. */
#pragma once
#include <stdint.h>

typedef enum
{
  VEND_RANGE_NONE, /* invalid: the whole file */
  VEND_RANGE_PART,
  VEND_RANGE_OUTSIDE,
} VendRangeKind;

/* One range of "bytes=a-b", "bytes=a-", "bytes=-n", of a file of `size` bytes. The outputs are set
 * for a PART alone: at least one byte, all of them in the file. */
VendRangeKind vend_range_parse (const char *text, uint64_t size, uint64_t *out_start,
                                uint64_t *out_size);
