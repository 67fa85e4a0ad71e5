/* What was metered, on its way to the disk and into sums. Core thread. It outlives the scheduler
 * for as long as the store has writes of it. */
#include "base/clock.h"
#include "sched/core-private.h"

/* A write that failed. */
typedef struct
{
  VendStoreJob job;
  VendStoreDone done;
  void *data;
} Again;

struct Books
{
  VendStore *store;
  Budgets *budgets;
  GArray *again;  /* of Again */
  bool is_closed; /* nobody looks at them any more */
};

static void
books_clear (void *data)
{
  Books *books = data;
  g_array_unref (books->again);
  vend_budgets_free (books->budgets);
}

Books *
vend_books_new (VendStore *store)
{
  Books *books = g_rc_box_new0 (Books);
  books->store = store;
  books->budgets = vend_budgets_new (store);
  books->again = g_array_new (FALSE, FALSE, sizeof (Again));
  return books;
}

Books *
vend_books_ref (Books *books)
{
  return g_rc_box_acquire (books);
}

void
vend_books_unref (Books *books)
{
  g_rc_box_release_full (books, books_clear);
}

void
vend_books_close (Books *books)
{
  books->is_closed = true;
  /* They go to the store once more, and hold the books until then. */
  vend_books_tick (books);
}

bool
vend_books_try_again (Books *books, VendStoreJob job, VendStoreDone done, void *data)
{
  const Again again = { job, done, data };
  if (books->is_closed)
    return false;
  g_array_append_val (books->again, again);
  return true;
}

void
vend_books_tick (Books *books)
{
  g_autoptr (GArray) failed = g_steal_pointer (&books->again);
  books->again = g_array_new (FALSE, FALSE, sizeof (Again));
  for (guint i = 0; i < failed->len; i++)
    {
      const Again *again = &g_array_index (failed, Again, i);
      vend_store_write (books->store, again->job, again->done, again->data);
    }
}

Budgets *
vend_books_get_budgets (Books *books)
{
  return books->budgets;
}

void
vend_books_spend (Books *books, int64_t account_id, int64_t at_us, int64_t price, int64_t time_us)
{
  vend_budgets_spend (books->budgets, account_id, at_us, price, time_us);
}
