/* Outputs of models, shown or saved: text as it comes, files downloaded. Main thread only. */
#pragma once
#include "cli/terminal/save.h"

typedef struct VendOutputWriter VendOutputWriter;

/* Keeps a reference to `openapi`, the version's schema (may be NULL); `save` is borrowed. Without a
 * target files are downloaded only when stdout is a terminal. */
VendOutputWriter *vend_output_writer_new (const json_t *openapi, const VendSave *save);
void vend_output_writer_free (VendOutputWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOutputWriter, vend_output_writer_free)

/* Prints what is new in the output of a model that yields text; nothing for others. */
void vend_output_writer_partial (VendOutputWriter *writer, const json_t *output);

/* True while the last line shown has no end: a progress line would take its place. */
bool vend_output_writer_is_line_open (const VendOutputWriter *writer);

/* Ends a line that is left open, as when the model failed half way. */
void vend_output_writer_end_line (VendOutputWriter *writer);

/* Downloads files, and shows or saves whatever was not shown yet. `is_quiet`: only the files. */
bool vend_output_writer_finish (VendOutputWriter *writer, VendClient *client, const json_t *output,
                                bool is_quiet, GError **error) G_GNUC_WARN_UNUSED_RESULT;
