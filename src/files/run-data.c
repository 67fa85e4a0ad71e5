/* Removal of the data of runs: input, output, logs and files; the row stays. */
#include "files/run-data.h"
#include "store/examples.h"
#include "store/files.h"
#include "store/predictions.h"
#include "store/shares.h"

bool
vend_run_data_remove (VendDb *db, const char *id, int64_t now_us, GPtrArray *contents,
                      GError **error)
{
  g_autoptr (GPtrArray) outputs = NULL;
  bool is_example = false;
  if (!vend_store_share_delete (db, id, error)
      || !vend_store_example_has (db, id, &is_example, error))
    return false;
  /* The files stay with the example. */
  if (is_example)
    return vend_store_prediction_remove_data (db, id, now_us, error);
  if (!vend_store_output_list (db, id, &outputs, error))
    return false;
  for (guint i = 0; i < outputs->len; i++)
    g_ptr_array_add (contents,
                     g_strdup (((const VendOutput *) g_ptr_array_index (outputs, i))->sha256));
  return vend_store_output_delete_of (db, id, error)
         && vend_store_prediction_remove_data (db, id, now_us, error);
}
