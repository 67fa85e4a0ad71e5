/* Scaling of the instances of a model or deployment. Plain values. */
#include "model/scaling.h"
#include "base/clock.h"
#include "model/deployment.h"
#include "model/network.h"
#include <math.h>
#include <string.h>

#define DAY_US (24 * 3600 * VEND_US_PER_S)

static const VendScalingInfo infos[] = {
  { "min_instances", VEND_SCALING_COUNT, 0, 1000, "minimum of instances, kept warm" },
  { "max_instances", VEND_SCALING_COUNT, 0, 10000, "maximum of instances" },
  { "idle_timeout", VEND_SCALING_SECONDS, 0, 365 * DAY_US,
    "idle time after which the last instance stops" },
  { "scale_down_delay", VEND_SCALING_SECONDS, 0, DAY_US,
    "idle time after which a surplus instance stops" },
  { "on_demand", VEND_SCALING_SWITCH, 0, 1,
    "keep idle instances until another model needs their hardware" },
  { "concurrency", VEND_SCALING_COUNT, 1, VEND_SCALING_MAX_CONCURRENCY,
    "concurrent predictions per instance, at most those of cog.yaml" },
  { "target", VEND_SCALING_COUNT, 1, 100, "target utilization of the slots in percent" },
  { "fast_start", VEND_SCALING_SWITCH, 0, 1,
    "fork from a process (zygote) with the imports loaded" },
  { "snapshot", VEND_SCALING_SWITCH, 0, 1, "fork from a process (snapshot) that has run setup" },
  { "retry_safe", VEND_SCALING_SWITCH, 0, 1, "retry a run that was lost before any output" },
  { "network", VEND_SCALING_CHOICE, VEND_NETWORK_HOST, VEND_NETWORK_NONE,
    "what the model reaches by its network: outbound, none or host", vend_network_words },
};

/* Members in the order of the table. */
static const gsize offsets[] = {
  G_STRUCT_OFFSET (VendScaling, min_instances),
  G_STRUCT_OFFSET (VendScaling, max_instances),
  G_STRUCT_OFFSET (VendScaling, idle_timeout_us),
  G_STRUCT_OFFSET (VendScaling, scale_down_delay_us),
  G_STRUCT_OFFSET (VendScaling, on_demand),
  G_STRUCT_OFFSET (VendScaling, concurrency),
  G_STRUCT_OFFSET (VendScaling, target),
  G_STRUCT_OFFSET (VendScaling, fast_start),
  G_STRUCT_OFFSET (VendScaling, snapshot),
  G_STRUCT_OFFSET (VendScaling, retry_safe),
  G_STRUCT_OFFSET (VendScaling, network),
};
G_STATIC_ASSERT (G_N_ELEMENTS (infos) == G_N_ELEMENTS (offsets));
G_STATIC_ASSERT (sizeof (VendScaling) == G_N_ELEMENTS (offsets) * sizeof (int64_t));

#define N_BOUNDS 2 /* the first of the table */

const VendScalingInfo *
vend_scaling_infos (gsize *out_count)
{
  *out_count = G_N_ELEMENTS (infos);
  return infos;
}

static int64_t *
member (VendScaling *scaling, gsize i)
{
  return G_STRUCT_MEMBER_P (scaling, offsets[i]);
}

static int64_t
value_of (const VendScaling *scaling, gsize i)
{
  return G_STRUCT_MEMBER (int64_t, scaling, offsets[i]);
}

/* ---- From JSON */

static bool
check_range (const VendScalingInfo *info, double value, json_t *problems)
{
  const double unit = info->type == VEND_SCALING_SECONDS ? (double) VEND_US_PER_S : 1;
  if (!(value >= (double) info->least / unit))
    vend_problem_add (problems, "number_gte", info->name, "Must be greater than or equal to %.0f",
                      (double) info->least / unit);
  else if (!(value <= (double) info->greatest / unit))
    vend_problem_add (problems, "number_lte", info->name, "Must be less than or equal to %.0f",
                      (double) info->greatest / unit);
  else
    return true;
  return false;
}

static int64_t
read_choice (const VendScalingInfo *info, const json_t *value, json_t *problems)
{
  for (int i = 0; json_is_string (value) && info->words[i] != NULL; i++)
    if (strcmp (info->words[i], json_string_value (value)) == 0)
      return i;
  g_autofree char *words = g_strjoinv (", ", (char **) info->words);
  vend_problem_add (problems, "enum", info->name, "Must be one of: %s", words);
  return VEND_SCALING_UNSET;
}

static int64_t
read_member (const VendScalingInfo *info, const json_t *value, json_t *problems)
{
  static const char *const expected[] = { [VEND_SCALING_COUNT] = "integer",
                                          [VEND_SCALING_SECONDS] = "number of seconds",
                                          [VEND_SCALING_SWITCH] = "boolean" };
  if (json_is_null (value))
    return VEND_SCALING_RESET;
  if (info->type == VEND_SCALING_CHOICE)
    return read_choice (info, value, problems);
  if (info->type == VEND_SCALING_SWITCH && json_is_boolean (value))
    return json_is_true (value);
  if (info->type == VEND_SCALING_SWITCH || !json_is_number (value)
      || (info->type == VEND_SCALING_COUNT && !json_is_integer (value)))
    vend_problem_add (problems, "invalid_type", info->name, "Invalid type. Expected: %s",
                      expected[info->type]);
  else if (check_range (info, json_number_value (value), problems))
    return info->type == VEND_SCALING_COUNT
               ? json_integer_value (value)
               : (int64_t) llround (json_number_value (value) * VEND_US_PER_S);
  return VEND_SCALING_UNSET;
}

void
vend_scaling_read (const json_t *body, bool with_bounds, VendScaling *change, json_t *problems)
{
  *change = (VendScaling) VEND_SCALING_NONE;
  for (gsize i = with_bounds ? 0 : N_BOUNDS; i < G_N_ELEMENTS (infos); i++)
    {
      const json_t *value = json_object_get (body, infos[i].name);
      if (value != NULL)
        *member (change, i) = read_member (&infos[i], value, problems);
    }
}

bool
vend_scaling_apply (VendScaling *scaling, const VendScaling *change)
{
  bool changed = false;
  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    {
      const int64_t asked = value_of (change, i);
      const int64_t now = asked == VEND_SCALING_RESET ? VEND_SCALING_UNSET : asked;
      if (asked == VEND_SCALING_UNSET || value_of (scaling, i) == now)
        continue;
      *member (scaling, i) = now;
      changed = true;
    }
  return changed;
}

void
vend_scaling_check (const VendScaling *scaling, json_t *problems)
{
  if (scaling->max_instances == VEND_SCALING_UNSET
      || scaling->min_instances <= scaling->max_instances)
    return;
  vend_problem_add (problems, "number_lte", "min_instances",
                    "min_instances (%" G_GINT64_FORMAT
                    ") must not be greater than max_instances (%" G_GINT64_FORMAT ")",
                    scaling->min_instances, scaling->max_instances);
}

/* ---- Combining */

VendScaling
vend_scaling_over (const VendScaling *own, const VendScaling *defaults)
{
  VendScaling both = *defaults;
  vend_scaling_apply (&both, own);
  return both;
}

void
vend_scaling_leave_to_model (VendScaling *own, const VendScaling *model)
{
  if (own->network == VEND_SCALING_UNSET)
    own->network = model->network;
}

VendScaling
vend_scaling_hold (const VendScaling *own, const VendScaling *defaults, const json_t *launch)
{
  VendScaling scaling = vend_scaling_over (own, defaults);
  const int64_t most
      = CLAMP (vend_json_int (launch, "concurrency", 1), 1, VEND_SCALING_MAX_CONCURRENCY);
  scaling.concurrency = MIN (scaling.concurrency, most);
  scaling.max_instances = MAX (scaling.max_instances, scaling.min_instances);
  return scaling;
}

bool
vend_scaling_is_unset (const VendScaling *scaling)
{
  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    if (value_of (scaling, i) != VEND_SCALING_UNSET)
      return false;
  return true;
}

bool
vend_scaling_runs_like (const VendScaling *a, const VendScaling *b)
{
  return a->concurrency == b->concurrency && a->fast_start == b->fast_start
         && a->snapshot == b->snapshot;
}

/* ---- To JSON */

static json_t *
show_member (const VendScalingInfo *info, int64_t value)
{
  if (value == VEND_SCALING_UNSET)
    return json_null ();
  if (info->type == VEND_SCALING_SWITCH)
    return json_boolean (value != 0);
  if (info->type == VEND_SCALING_CHOICE)
    return json_string (info->words[value]);
  if (info->type == VEND_SCALING_COUNT || value % VEND_US_PER_S == 0)
    return json_integer (info->type == VEND_SCALING_COUNT ? value : value / VEND_US_PER_S);
  return json_real ((double) value / VEND_US_PER_S);
}

void
vend_scaling_set (json_t *object, const VendScaling *scaling, bool with_unset)
{
  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    if (with_unset || value_of (scaling, i) != VEND_SCALING_UNSET)
      json_object_set_new (object, infos[i].name, show_member (&infos[i], value_of (scaling, i)));
}

json_t *
vend_scaling_to_json (const VendScaling *scaling, bool with_unset)
{
  json_t *object = json_object ();
  vend_scaling_set (object, scaling, with_unset);
  return object;
}
