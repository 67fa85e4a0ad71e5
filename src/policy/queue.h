/* The queue of one target: accounts take turns, each account's own order is kept. Holds
 * borrowed pointers. Core thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendQueue VendQueue;

/* Where an entry stands; kept by its owner, zero while not queued. */
typedef struct
{
  void *lane;
  GList *link;
  int64_t number; /* in its lane, growing */
} VendQueuePlace;

/* How many more of an account may begin now; G_MAXUINT = no limit. */
typedef guint (*VendQueueRoom) (int64_t account_id, const void *data);

VendQueue *vend_queue_new (void);
void vend_queue_free (VendQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendQueue, vend_queue_free)

void vend_queue_push (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place);
/* A retry: before everything else of its account, and its account's turn is next. */
void vend_queue_push_head (VendQueue *queue, int64_t account_id, void *entry,
                           VendQueuePlace *place);
/* Whose turn it is, without taking; NULL when empty. */
void *vend_queue_peek (const VendQueue *queue);
/* The same among the accounts that have room. */
void *vend_queue_peek_with_room (const VendQueue *queue, VendQueueRoom room, const void *data);
/* Takes one out to begin it: the turn of its account is over. */
void vend_queue_take (VendQueue *queue, VendQueuePlace *place);
/* Takes one out, wherever it stands, for another reason. */
void vend_queue_remove (VendQueue *queue, VendQueuePlace *place);
guint vend_queue_length (const VendQueue *queue);
/* How many could begin if there were slots for all. */
guint vend_queue_length_with_room (const VendQueue *queue, VendQueueRoom room, const void *data);
/* Accounts with entries. */
guint vend_queue_accounts (const VendQueue *queue);
/* `seen` gets the first entry of each account, of at most `most` accounts. */
typedef void (*VendQueueSeen) (void *entry, void *data);
void vend_queue_each_first (const VendQueue *queue, guint most, VendQueueSeen seen, void *data);
/* How many of the same account stand before it. What left the middle is still counted, but not for
 * the last one. */
guint vend_queue_before_in_lane (const VendQueuePlace *place);
/* How many turns until this one begins, 1 for the next. What left the middle of a lane is still
 * counted, so it may come out a little higher. */
guint vend_queue_position (const VendQueue *queue, const VendQueuePlace *place);
