/* Aligned columns for lists. Main thread only. */
#pragma once
#include <glib.h>

typedef struct VendTable VendTable;

/* `columns` are the headings, NULL-terminated. */
VendTable *vend_table_new (const char *const *columns) G_GNUC_WARN_UNUSED_RESULT;
void vend_table_free (VendTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendTable, vend_table_free)

/* One cell a column; NULL is an empty cell. Control characters are taken out. */
void vend_table_add (VendTable *table, ...);

/* Numbers: the cells of this column end at the same place. */
void vend_table_align_right (VendTable *table, guint column);
/* When lines are too long, the middle of this column's cells is left out, not the ends of lines. */
void vend_table_cut_middle (VendTable *table, guint column);

guint vend_table_rows (const VendTable *table);

/* Headings and rows, two spaces between columns, no spaces at line ends. A `width` above 0 cuts
 * longer lines. Free with g_free. */
char *vend_table_text (const VendTable *table, guint width) G_GNUC_WARN_UNUSED_RESULT;

/* To stdout, cut to the terminal where it is one; headings are bold there. */
void vend_table_print (const VendTable *table);
