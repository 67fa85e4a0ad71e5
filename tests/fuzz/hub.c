/* Answers of a model hub. */
#include "fuzz.h"
#include "model/weight-set.h"
#include "weights/hub.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (VendWeightSource) source = NULL;
  g_autoptr (VendHubListing) listing = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_weight_source_parse ("hf://lab/tiny", NULL, NULL, NULL, &source, &error));
  const bool good = vend_hub_listing_parse ((const char *) data, size, source, &listing, &error);
  g_assert_true (good == (error == NULL) && good == (listing != NULL));
  for (guint i = 0; good && i < listing->files->len; i++)
    {
      const VendHubFile *file = g_ptr_array_index (listing->files, i);
      g_assert_true (vend_weight_path_is_good (file->path) && file->size >= 0);
      g_assert_true (file->sha256 == NULL || file->git == NULL);
    }
  return 0;
}
