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
    { "4,5", "", "hardware-units: '5' is set twice" },
    { "cpu=1,cpu=2", "", "hardware-units: 'cpu' is set twice" },
    { "tpu=1", "", "hardware-units: unknown hardware 'tpu'" },
    { "cpu=", "", "hardware-units: " },
    { "gpu=1", "gpu=1", "hardware-units: 'gpu' has GPUs" },
    { "0", "1", "hardware-gpus: expected 'sku=1'" },
    { "0", "gpu=65", "hardware-gpus: '65' is no whole number" },
    { "0", "tpu=1", "hardware-gpus: unknown hardware 'tpu'" },
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

static void
test_limits (void)
{
  const VendSkuTexts texts = { .hardware = "cpu=CPU,big=Big,gpu=GPU",
                               .units = "0",
                               .gpus = "gpu=1",
                               .memory = "gpu=64G, 2G ,big=0",
                               .cpus = "big=7.5",
                               .processes = "big=10",
                               .machine_memory = G_GUINT64_CONSTANT (100) << 30 };
  g_autoptr (VendSkus) skus = NULL;
  g_assert_true (vend_skus_parse (&texts, &skus, NULL));
  const VendSku *cpu = vend_skus_find (skus, "cpu"), *big = vend_skus_find (skus, "big");
  g_assert_cmpuint (cpu->memory, ==, G_GUINT64_CONSTANT (2) << 30);
  g_assert_cmpuint (big->memory, ==, 0);
  g_assert_cmpuint (vend_skus_find (skus, "gpu")->memory, ==, G_GUINT64_CONSTANT (64) << 30);
  g_assert_cmpfloat (cpu->cpus, ==, 0);
  g_assert_cmpfloat (big->cpus, ==, 7.5);
  g_assert_cmpuint (cpu->processes, ==, 4096);
  g_assert_false (cpu->processes_said);
  g_assert_cmpuint (big->processes, ==, 10);
  g_assert_true (big->processes_said);
}

static void
test_default_limits (void)
{
  const VendSkuTexts texts = {
    .hardware = "cpu=CPU", .units = "0", .gpus = "", .processes = "7", .machine_memory = 1000000
  };
  g_autoptr (VendSkus) skus = NULL;
  g_assert_true (vend_skus_parse (&texts, &skus, NULL));
  g_assert_cmpuint (vend_skus_find (skus, "cpu")->memory, ==, 900000);
  g_assert_cmpuint (vend_skus_find (skus, "cpu")->processes, ==, 7);
  g_assert_true (vend_skus_find (skus, "cpu")->processes_said);
}

static void
test_limit_refusals (void)
{
  static const struct
  {
    const char *memory, *cpus, *processes, *begins;
  } cases[] = {
    { "much", "", "", "hardware-memory: 'much' is not a size" },
    { "15M", "", "", "hardware-memory: '15M' is less than 16M" },
    { "-1G", "", "", "hardware-memory: " },
    { "tpu=1G", "", "", "hardware-memory: unknown hardware 'tpu'" },
    { "1G,2G", "", "", "hardware-memory: '2G' is set twice" },
    { "", "all", "", "hardware-cpus: 'all' is no number" },
    { "", "nan", "", "hardware-cpus: 'nan' is no number" },
    { "", "-1", "", "hardware-cpus: '-1' is no number" },
    { "", "1e3", "", "hardware-cpus: '1e3' is no number" },
    { "", "0.001", "", "hardware-cpus: '0.001' is no number" },
    { "", "5000", "", "hardware-cpus: '5000' is no number" },
    { "", "cpu=", "", "hardware-cpus: '' is no number" },
    { "", "", "1.5", "hardware-processes: '1.5' is no whole number" },
    { "", "", "4194305", "hardware-processes: '4194305' is no whole number" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const VendSkuTexts texts = { .hardware = "cpu=CPU",
                                   .units = "0",
                                   .gpus = "",
                                   .memory = cases[i].memory,
                                   .cpus = cases[i].cpus,
                                   .processes = cases[i].processes };
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
  g_test_add_func ("/sku/limits", test_limits);
  g_test_add_func ("/sku/default-limits", test_default_limits);
  g_test_add_func ("/sku/limit-refusals", test_limit_refusals);
  return g_test_run ();
}
