/* The queue of one target: round robin over accounts, first in first out within an account. Holds
 * borrowed pointers. Core thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendQueue VendQueue;

/* The place of an entry; kept by its owner, zero while not queued. */
typedef struct
{
  void *lane;
  GList *link;
  int64_t number; /* growing within the lane */
} VendQueuePlace;

/* The number of runs that an account may still begin; G_MAXUINT = no limit. */
typedef guint (*VendQueueRoom) (int64_t account_id, const void *data);

VendQueue *vend_queue_new (void);
void vend_queue_free (VendQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendQueue, vend_queue_free)

void vend_queue_push (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place);
/* A retry: goes before all other entries of its account, and the account has the next turn. */
void vend_queue_push_head (VendQueue *queue, int64_t account_id, void *entry,
                           VendQueuePlace *place);
/* The next entry, without taking it; NULL when empty. */
void *vend_queue_peek (const VendQueue *queue);
/* The same among accounts with room. */
void *vend_queue_peek_with_room (const VendQueue *queue, VendQueueRoom room, const void *data);
/* Takes an entry to begin it; ends the turn of its account. */
void vend_queue_take (VendQueue *queue, VendQueuePlace *place);
/* Removes an entry from any place, for another reason; the turn stays. */
void vend_queue_remove (VendQueue *queue, VendQueuePlace *place);
guint vend_queue_length (const VendQueue *queue);
/* The number of entries that could begin if there were enough slots. */
guint vend_queue_length_with_room (const VendQueue *queue, VendQueueRoom room, const void *data);
/* Accounts with entries. */
guint vend_queue_accounts (const VendQueue *queue);
/* `seen` gets the first entry of each account, of at most `most` accounts. */
typedef void (*VendQueueSeen) (void *entry, void *data);
void vend_queue_each_first (const VendQueue *queue, guint most, VendQueueSeen seen, void *data);
/* The number of entries of the same account before this entry. Entries removed from the middle
 * still count, except before the last entry. */
guint vend_queue_before_in_lane (const VendQueuePlace *place);
/* The number of turns until this entry begins, 1 for the next. Entries removed from the middle of a
 * lane still count, so the result may be a little too high. */
guint vend_queue_position (const VendQueue *queue, const VendQueuePlace *place);
