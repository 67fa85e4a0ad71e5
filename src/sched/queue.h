/* The queue of one deployable: accounts take turns, each account's own order is kept. Holds
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
} VendQueuePlace;

VendQueue *vend_queue_new (void);
void vend_queue_free (VendQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendQueue, vend_queue_free)

void vend_queue_push (VendQueue *queue, int64_t account_id, void *entry, VendQueuePlace *place);
/* A retry: before everything else of its account, and its account's turn is next. */
void vend_queue_push_head (VendQueue *queue, int64_t account_id, void *entry,
                           VendQueuePlace *place);
/* Whose turn it is, without taking; NULL when empty. */
void *vend_queue_peek (VendQueue *queue);
/* Takes one out, wherever it stands. Taking the one that peek gave passes the turn on. */
void vend_queue_remove (VendQueue *queue, VendQueuePlace *place);
guint vend_queue_length (const VendQueue *queue);
