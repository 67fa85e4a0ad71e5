/* Settings of instances: from JSON, changed, over those of the server, and back. */
#include "model/scaling.h"

static const VendScaling defaults = { .min_instances = 0,
                                      .max_instances = 4,
                                      .idle_timeout_us = 300000000,
                                      .scale_down_delay_us = 60000000,
                                      .on_demand = 0,
                                      .concurrency = 256,
                                      .target = 100,
                                      .fast_start = 1,
                                      .snapshot = 1,
                                      .retry_safe = 1,
                                      .network = 1 };

static json_t *
parse (const char *text)
{
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  json_t *value = json_loads (json, 0, NULL);
  g_assert_nonnull (value);
  return value;
}

static void
test_wrong_members_are_named (void)
{
  static const struct
  {
    const char *body;
    bool with_bounds;
    const char *fields;
  } cases[] = {
    { "{}", true, "" },
    { "{'something':'else'}", true, "" },
    { "{'min_instances':-1,'max_instances':10001}", true, "min_instances,max_instances" },
    { "{'min_instances':-1,'max_instances':10001}", false, "" },
    { "{'min_instances':1.5,'max_instances':true}", true, "min_instances,max_instances" },
    { "{'idle_timeout':-0.1,'scale_down_delay':86401}", true, "idle_timeout,scale_down_delay" },
    { "{'idle_timeout':'5m','scale_down_delay':[]}", true, "idle_timeout,scale_down_delay" },
    { "{'idle_timeout':31536000,'scale_down_delay':0.5}", true, "" },
    { "{'idle_timeout':1e300}", true, "idle_timeout" },
    { "{'on_demand':1,'fast_start':'off','retry_safe':0}", true,
      "on_demand,fast_start,retry_safe" },
    { "{'on_demand':true,'fast_start':false,'retry_safe':null}", true, "" },
    { "{'network':'bridge'}", true, "network" },
    { "{'network':1}", true, "network" },
    { "{'network':'none'}", true, "" },
    { "{'network':null}", false, "" },
    { "{'concurrency':0,'target':0}", true, "concurrency,target" },
    { "{'concurrency':257,'target':101}", true, "concurrency,target" },
    { "{'concurrency':1,'target':100}", true, "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *body = parse (cases[i].body);
      json_auto_t *problems = json_array ();
      g_autoptr (GString) fields = g_string_new (NULL);
      VendScaling change;
      size_t at;
      json_t *problem;
      vend_scaling_read (body, cases[i].with_bounds, &change, problems);
      json_array_foreach (problems, at, problem)
        g_string_append_printf (fields, "%s%s", at > 0 ? "," : "",
                                vend_json_string (problem, "field"));
      g_test_message ("%s", cases[i].body);
      g_assert_cmpstr (fields->str, ==, cases[i].fields);
    }
}

static void
change (VendScaling *scaling, const char *text, bool changes)
{
  json_auto_t *body = parse (text);
  json_auto_t *problems = json_array ();
  VendScaling asked;
  vend_scaling_read (body, true, &asked, problems);
  g_assert_cmpuint (json_array_size (problems), ==, 0);
  g_assert_true (vend_scaling_apply (scaling, &asked) == changes);
}

static void
assert_json (const json_t *value, const char *text)
{
  json_auto_t *expected = parse (text);
  g_autofree char *is = json_dumps (value, JSON_SORT_KEYS);
  g_autofree char *should = json_dumps (expected, JSON_SORT_KEYS);
  g_assert_cmpstr (is, ==, should);
}

static void
test_changes (void)
{
  VendScaling own = VEND_SCALING_NONE;
  g_assert_true (vend_scaling_is_unset (&own));
  change (&own, "{'idle_timeout':2.5,'on_demand':true,'target':50}", true);
  change (&own, "{'idle_timeout':2.5}", false);
  change (&own, "{'fast_start':null}", false);
  change (&own, "{'on_demand':null,'scale_down_delay':7}", true);
  g_assert_false (vend_scaling_is_unset (&own));
  json_auto_t *shown = vend_scaling_to_json (&own, false);
  assert_json (shown, "{'idle_timeout':2.5,'scale_down_delay':7,'target':50}");

  const VendScaling holds = vend_scaling_over (&own, &defaults);
  json_auto_t *all = vend_scaling_to_json (&holds, true);
  assert_json (all, "{'min_instances':0,'max_instances':4,'idle_timeout':2.5,'scale_down_delay':7,"
                    "'on_demand':false,'concurrency':256,'target':50,'fast_start':true,"
                    "'snapshot':true,'retry_safe':true,'network':'outbound'}");

  change (&own, "{'network':'host'}", true);
  change (&own, "{'network':'none'}", true);
  change (&own, "{'network':'none'}", false);
  json_auto_t *none = vend_scaling_to_json (&own, false);
  g_assert_cmpstr (vend_json_string (none, "network"), ==, "none");

  change (&own, "{'network':null,'idle_timeout':null,'scale_down_delay':null,'target':null}", true);
  g_assert_true (vend_scaling_is_unset (&own));
}

static void
test_who_shares_instances (void)
{
  VendScaling a = VEND_SCALING_NONE, b = VEND_SCALING_NONE;
  change (&b, "{'idle_timeout':1,'target':10,'retry_safe':false,'on_demand':true,'network':'none'}",
          true);
  g_assert_true (vend_scaling_runs_like (&a, &b));
  change (&b, "{'fast_start':false}", true);
  g_assert_false (vend_scaling_runs_like (&a, &b));
  change (&a, "{'fast_start':false,'concurrency':2}", true);
  g_assert_false (vend_scaling_runs_like (&a, &b));
  change (&b, "{'concurrency':2}", true);
  g_assert_true (vend_scaling_runs_like (&a, &b));
  change (&b, "{'snapshot':false}", true);
  g_assert_false (vend_scaling_runs_like (&a, &b));
}

static void
test_bounds_go_together (void)
{
  VendScaling own = VEND_SCALING_NONE;
  json_auto_t *problems = json_array ();
  change (&own, "{'min_instances':5}", true);
  vend_scaling_check (&own, problems);
  g_assert_cmpuint (json_array_size (problems), ==, 0);
  const VendScaling holds = vend_scaling_over (&own, &defaults);
  vend_scaling_check (&holds, problems);
  g_assert_cmpuint (json_array_size (problems), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scaling/wrong-members-are-named", test_wrong_members_are_named);
  g_test_add_func ("/scaling/changes", test_changes);
  g_test_add_func ("/scaling/who-shares-instances", test_who_shares_instances);
  g_test_add_func ("/scaling/bounds-go-together", test_bounds_go_together);
  return g_test_run ();
}
