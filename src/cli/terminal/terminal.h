/* Messages of the commands: colour and a progress line only where a terminal shows them. Main
 * thread only. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <glib.h>

#include "json/json.h"

bool vend_terminal_is (int fd);

/* A terminal, and neither NO_COLOR nor TERM=dumb speaks against it. */
bool vend_terminal_has_colour (int fd);

/* Columns, or 0 when `fd` is not a terminal. */
guint vend_terminal_width (int fd);

/* Prints what comes from a server, a model or a build to stdout or stderr. On a terminal controls
 * become visible instead of being obeyed (base/plain-text.h); files and pipes get the bytes as they
 * are. Pieces may cut characters. */
void vend_terminal_write (FILE *stream, const char *data, gsize size);

/* The same to stdout, formatted. */
void vend_terminal_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* `text` as one line without control characters: a server or model cannot move the cursor with it.
 * Free with g_free. */
char *vend_terminal_one_line (const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Lines on stderr. */
void vend_terminal_error (const char *text);
void vend_terminal_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);
void vend_terminal_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* JSON for programs on stdout, indented. */
void vend_terminal_json (const json_t *value);

/* One line on stderr that is written over; silent where stderr is no terminal. */
typedef struct VendProgress VendProgress;

VendProgress *vend_progress_new (void);
void vend_progress_free (VendProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendProgress, vend_progress_free)
bool vend_progress_is_shown (const VendProgress *progress);
void vend_progress_show (VendProgress *progress, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* True when the line has stood long enough to be worth a new one: for callers that are called with
 * every chunk of a transfer. */
bool vend_progress_is_due (const VendProgress *progress);

/* Takes the line away before something else is printed. */
void vend_progress_clear (VendProgress *progress);

/* "[#####.....]  50 %" of `total`, for vend_progress_show. Free with g_free. */
char *vend_progress_bar (guint64 done, guint64 total) G_GNUC_WARN_UNUSED_RESULT;
