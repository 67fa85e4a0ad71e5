/* What the settings say about each kind of hardware. */
#include "base/error.h"
#include "model/sku.h"

static void
test_values (void)
{
  const VendSkuTexts texts = { .hardware = "cpu=CPU,big=Big CPU,gpu=GPU,gpu-2x=2 GPUs",
                               .units = " 6 , big = 2",
                               .gpus = "gpu=1,gpu-2x=2" };
  g_autoptr (VendSkus) skus = NULL;
  g_assert_true (vend_skus_parse (&texts, &skus, NULL));
  g_assert_cmpuint (vend_skus_count (skus), ==, 4);
  g_assert_cmpuint (vend_skus_common_units (skus), ==, 6);
  g_assert_true (vend_skus_have_gpus (skus));
  g_assert_cmpstr (vend_skus_at (skus, 1)->name, ==, "Big CPU");
  g_assert_cmpuint (vend_skus_find (skus, "cpu")->units, ==, 0);
  g_assert_cmpuint (vend_skus_find (skus, "big")->units, ==, 2);
  g_assert_cmpuint (vend_skus_find (skus, "big")->gpus, ==, 0);
  g_assert_cmpuint (vend_skus_find (skus, "gpu-2x")->gpus, ==, 2);
  g_assert_null (vend_skus_find (skus, "tpu"));
}

static void
test_refusals (void)
{
  static const struct
  {
    const char *units, *gpus, *begins;
  } cases[] = {
    { "x", "", "hardware-units: 'x' is no whole number" },
    { "-1", "", "hardware-units: " },
    { "1.5", "", "hardware-units: " },
    { "10001", "", "hardware-units: " },
    { "4,5", "", "hardware-units: '5' is there twice" },
    { "cpu=1,cpu=2", "", "hardware-units: 'cpu' is there twice" },
    { "tpu=1", "", "hardware-units: there is no hardware 'tpu'" },
    { "cpu=", "", "hardware-units: " },
    { "gpu=1", "gpu=1", "hardware-units: 'gpu' has GPUs" },
    { "0", "1", "hardware-gpus: expected 'sku=1'" },
    { "0", "gpu=65", "hardware-gpus: '65' is no whole number" },
    { "0", "tpu=1", "hardware-gpus: there is no hardware 'tpu'" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const VendSkuTexts texts
          = { .hardware = "cpu=CPU,gpu=GPU", .units = cases[i].units, .gpus = cases[i].gpus };
      g_autoptr (VendSkus) skus = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_skus_parse (&texts, &skus, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      if (!g_str_has_prefix (error->message, cases[i].begins))
        g_error ("'%s' does not begin with '%s'", error->message, cases[i].begins);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sku/values", test_values);
  g_test_add_func ("/sku/refusals", test_refusals);
  return g_test_run ();
}
