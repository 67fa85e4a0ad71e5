/* Store functions of machines that run instances. Inside a transaction; outputs are the caller's.
 */
#pragma once
#include "json/json.h"
#include "store/db.h"

typedef struct
{
  char *name;
  json_t *hardware; /* as the machine has told */
  char *address;
  bool draining;
  int64_t created_us;
  int64_t seen_us; /* 0: never */
} VendMachineRow;

void vend_machine_row_free (VendMachineRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMachineRow, vend_machine_row_free)

/* EXISTS when the name is taken. */
bool vend_store_machine_insert (VendDb *db, const char *name, const json_t *hardware,
                                int64_t now_us, GError **error);
/* Of VendMachineRow, by name. */
bool vend_store_machine_list (VendDb *db, GPtrArray **out, GError **error);
/* Changes nothing when there is no such machine. */
bool vend_store_machine_seen (VendDb *db, const char *name, const json_t *hardware,
                              const char *address, int64_t now_us, GError **error);
bool vend_store_machine_drain (VendDb *db, const char *name, bool draining, GError **error);
bool vend_store_machine_delete (VendDb *db, const char *name, GError **error);
