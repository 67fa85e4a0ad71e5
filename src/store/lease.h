/* The lease of a database on a server. One process has it, and says with every group of writes how
 * long it lasts from then on. Who takes it over raises the epoch, and the one before stores nothing
 * more, whenever it comes to its senses. Times are those of the database's clock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_LEASE_US (15 * G_GINT64_CONSTANT (1000000))

/* What a look at the lease found. */
typedef struct
{
  bool is_kept;     /* false: a new database, or one of a Vend that kept no lease */
  int64_t epoch;    /* raised by everyone who takes it */
  int64_t until_us; /* 0: it was given back */
  int64_t left_us;  /* from now to then */
  char *holder;     /* the mark of the process that has it */
  char *address;    /* where that answers calls; "" when it does not yet */
} VendLeaseSeen;
void vend_lease_seen_clear (VendLeaseSeen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendLeaseSeen, vend_lease_seen_clear)

/* How a process takes a lease. Borrowed by the call it is given to; all zero takes one of the usual
 * length that nobody else has. */
typedef struct
{
  int64_t length_us;  /* 0: VEND_LEASE_US */
  const char *holder; /* a mark of this process, for `is_gone` of others; or NULL */
  /* Whether the process with this mark has certainly ended. NULL: nobody knows. */
  bool (*is_gone) (const char *holder);
  /* Called between two looks at a lease that another process has, and decides the pause between
   * them; false gives up. `seen` is NULL while the database is away. NULL: whoever sees the lease
   * renewed is refused. */
  bool (*waits) (const VendLeaseSeen *seen, void *data);
  void *data;
} VendLease;

typedef enum
{
  VEND_LEASE_FREE, /* nobody has it */
  VEND_LEASE_GONE, /* who had it has ended */
  VEND_LEASE_OVER, /* who has it did not renew it in time */
  VEND_LEASE_HELD,
} VendLeaseState;

VendLeaseState vend_lease_judge (const VendLeaseSeen *seen, const VendLease *lease);
