/* What a deployment may be asked for, and the list of hardware. */
#include "base/error.h"
#include "model/deployment.h"
#include "model/hardware.h"
#include <string.h>

#define VERSION "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD \
  "'name':'n','model':'lab/echo','version':'" VERSION \
  "','hardware':'cpu','min_instances':1,'max_instances':2"

static json_t *
parse (const char *text)
{
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  json_t *value = json_loads (json, 0, NULL);
  g_assert_nonnull (value);
  return value;
}

/* The fields that are wrong, comma-separated. */
static char *
wrong (const char *text, bool create)
{
  json_auto_t *body = parse (text);
  json_auto_t *hardware = parse ("[{'sku':'cpu','name':'CPU'}]");
  json_auto_t *problems = json_array ();
  VendDeploymentRequest wish;
  g_autoptr (GString) fields = g_string_new (NULL);
  size_t i;
  json_t *problem;
  vend_deployment_request_read (body, create, "lab", hardware, &wish, problems);
  json_array_foreach (problems, i, problem)
    g_string_append_printf (fields, "%s%s", i > 0 ? "," : "", vend_json_string (problem, "field"));
  return g_string_free (g_steal_pointer (&fields), FALSE);
}

static void
test_wishes (void)
{
  static const struct
  {
    const char *body;
    bool create;
    const char *fields;
  } cases[] = {
    { "{" GOOD "}", true, "" },
    { "{" GOOD ",'more':1}", true, "" },
    { "{}", false, "" },
    { "{}", true, "name,model,version,hardware,min_instances,max_instances" },
    { "{'min_instances':5,'max_instances':20}", false, "" },
    { "{'min_instances':6,'max_instances':21}", false, "min_instances,max_instances" },
    { "{'min_instances':-1,'max_instances':null}", false, "min_instances" },
    { "{'version':'abc','hardware':'tpu'}", false, "version,hardware" },
    { "{'version':7,'hardware':[],'model':{}}", false, "model,version,hardware" },
    { "{'name':'not read in a change'}", false, "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *fields = wrong (cases[i].body, cases[i].create);
      g_assert_cmpstr (fields, ==, cases[i].fields);
    }
}

static void
test_owner_is_taken_off (void)
{
  json_auto_t *body = parse ("{'name':'lab/n'}");
  json_auto_t *problems = json_array ();
  json_auto_t *hardware = json_array ();
  VendDeploymentRequest wish;
  vend_deployment_request_read (body, true, "lab", hardware, &wish, problems);
  g_assert_cmpstr (wish.name, ==, "n");
}

static void
test_releases (void)
{
  VendDeploymentRequest wish = { .version = "b", .min_instances = -1, .max_instances = 3 };
  VendRelease first
      = { .model_id = 1, .version = (char *) "a", .hardware = (char *) "cpu", .max_instances = 1 };
  json_auto_t *problems = json_array ();
  g_autoptr (VendRelease) next = vend_release_copy (&first);
  g_assert_true (vend_release_runs_like (&first, next));
  g_assert_true (vend_release_apply (next, &wish));
  g_assert_false (vend_release_apply (next, &wish));
  g_assert_cmpstr (next->version, ==, "b");
  g_assert_cmpint (next->min_instances, ==, 0);
  g_assert_cmpint (next->max_instances, ==, 3);
  g_assert_false (vend_release_runs_like (&first, next));
  vend_release_check (next, problems);
  g_assert_cmpuint (json_array_size (problems), ==, 0);
  next->min_instances = 4;
  vend_release_check (next, problems);
  g_assert_cmpuint (json_array_size (problems), ==, 1);
}

static void
test_hardware (void)
{
  static const char *const bad[]
      = { "", " ", "cpu,", "cpu,cpu", "cpu=", "no spaces", "UPPER", "-cpu", "a/b", ",cpu" };
  json_auto_t *list = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_hardware_parse ("cpu = CPU , gpu-x=Some GPU,tpu", &list, &error));
  g_autofree char *skus = vend_hardware_skus (list);
  g_assert_cmpstr (skus, ==, "cpu, gpu-x, tpu");
  g_assert_true (vend_hardware_has (list, "tpu"));
  g_assert_false (vend_hardware_has (list, "gpu"));
  g_assert_cmpstr (vend_json_string (json_array_get (list, 1), "name"), ==, "Some GPU");
  g_assert_cmpstr (vend_json_string (json_array_get (list, 2), "name"), ==, "tpu");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_t *none = NULL;
      g_assert_false (vend_hardware_parse (bad[i], &none, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_clear_error (&error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deployment/wishes", test_wishes);
  g_test_add_func ("/deployment/owner-is-taken-off", test_owner_is_taken_off);
  g_test_add_func ("/deployment/releases", test_releases);
  g_test_add_func ("/deployment/hardware", test_hardware);
  return g_test_run ();
}
