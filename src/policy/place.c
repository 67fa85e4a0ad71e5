/* On which machine an instance starts. Pure. */
#include "policy/place.h"

static guint
free_of (const VendPlaceOption *option)
{
  return option->is_open && option->units > option->used ? option->units - option->used : 0;
}

int
vend_place (const VendPlaceOption *options, gsize n, guint size)
{
  int best = -1;
  for (gsize i = 0; i < n; i++)
    {
      const guint room = free_of (&options[i]);
      if (room < MAX (size, 1))
        continue;
      const guint best_room = best >= 0 ? free_of (&options[best]) : 0;
      if (room > best_room
          || (room == best_room && options[i].has_files && !options[best].has_files))
        best = (int) i;
    }
  return best;
}

guint
vend_place_units (const VendPlaceOption *options, gsize n)
{
  guint units = 0;
  for (gsize i = 0; i < n; i++)
    units += options[i].is_open ? options[i].units : options[i].used;
  return units;
}
