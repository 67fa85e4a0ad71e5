/* Ctrl-C through a signalfd. Main thread only. */
#include "cli/terminal/interrupt.h"
#include "base/clock.h"
#include "base/fd.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

struct VendInterrupt
{
  int fd;
  bool is_pending;
  bool is_held;
};

static void
sigint_set (sigset_t *set)
{
  sigemptyset (set);
  sigaddset (set, SIGINT);
}

VendInterrupt *
vend_interrupt_new (void)
{
  VendInterrupt *interrupt = g_new0 (VendInterrupt, 1);
  sigset_t set;

  sigint_set (&set);
  interrupt->fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  /* Without the descriptor Ctrl-C simply ends the process, as it does by default. */
  interrupt->is_held = interrupt->fd >= 0 && sigprocmask (SIG_BLOCK, &set, NULL) == 0;
  return interrupt;
}

void
vend_interrupt_release (VendInterrupt *interrupt)
{
  sigset_t set;
  if (!interrupt->is_held)
    return;
  sigint_set (&set);
  sigprocmask (SIG_UNBLOCK, &set, NULL);
  interrupt->is_held = false;
}

void
vend_interrupt_free (VendInterrupt *interrupt)
{
  if (interrupt == NULL)
    return;
  vend_interrupt_release (interrupt);
  vend_fd_clear (&interrupt->fd);
  g_free (interrupt);
}

bool
vend_interrupt_pending (VendInterrupt *interrupt)
{
  struct signalfd_siginfo info;
  if (interrupt->is_held && read (interrupt->fd, &info, sizeof info) == (ssize_t) sizeof info)
    interrupt->is_pending = true;
  return interrupt->is_pending;
}

int
vend_interrupt_fd (const VendInterrupt *interrupt)
{
  return interrupt->is_held ? interrupt->fd : -1;
}

bool
vend_interrupt_wait (VendInterrupt *interrupt, int64_t wait_us)
{
  if (interrupt == NULL)
    {
      g_usleep ((gulong) wait_us);
      return false;
    }
  if (vend_interrupt_pending (interrupt))
    return true;
  struct pollfd watched = { .fd = interrupt->fd, .events = POLLIN };
  poll (&watched, interrupt->is_held ? 1 : 0, (int) (wait_us / VEND_US_PER_MS));
  return vend_interrupt_pending (interrupt);
}
