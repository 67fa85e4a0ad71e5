/* What the fuzz targets share. A target takes bytes, gives them to the code under test and asserts
 * what must hold for any bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#include "base/error.h"
#include "json/json.h"

/* Longest text of an error, with what callers put before it. */
#define FUZZ_ERROR_BYTES ((gsize) VEND_ERROR_TEXT_BYTES + 1024)

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  const char *data;
  gsize size;
} FuzzInput;

/* The first byte, or 0 when there is none. */
guint8 fuzz_take_byte (FuzzInput *input);
/* What comes before the next line end, up to a NUL; all when there is no line end. g_free. */
char *fuzz_take_line (FuzzInput *input);
/* The rest up to a NUL. g_free. */
char *fuzz_take_text (FuzzInput *input);
/* Everything before the first line that is `mark` alone, and that line away; all without one. */
FuzzInput fuzz_take_until (FuzzInput *input, const char *mark);

/* Sizes of pieces: the same ones for the same seed. */
typedef guint32 FuzzPieces;
FuzzPieces fuzz_pieces_start (guint8 seed);
/* 1 to `left`, mostly small. */
gsize fuzz_piece (FuzzPieces *pieces, gsize left);

/* An error of Vend is there exactly when `good` is false, and its text can be shown. */
void fuzz_check_error (bool good, const GError *error);
void fuzz_check_utf8 (const char *text);
/* Every text in `value` is UTF-8 without NUL. */
void fuzz_check_json (const json_t *value);

/* A folder for this process, empty at the first call and removed at its end. Borrowed. */
const char *fuzz_folder (void);
/* Removes what is in `folder`, and the folder. */
void fuzz_remove_tree (const char *folder);
void fuzz_write_file (const char *path, const char *data, gsize size);
