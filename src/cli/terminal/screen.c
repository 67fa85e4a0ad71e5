/* A terminal that is taken over as a whole. Main thread only. */
#include "cli/terminal/screen.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/terminal/terminal.h"
#include "base/plain-text.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define FALLBACK_COLUMNS 80
#define FALLBACK_ROWS 24
/* The other screen of a terminal, without a cursor (xterm's control sequences). */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

struct VendScreen
{
  VendInterrupt *interrupt;
  struct termios before;
  bool is_raw; /* `before` is to be set again */
  int signals; /* signalfd */
  sigset_t mask_before;
};

static void
enter (VendScreen *screen)
{
  struct termios raw;
  if (tcgetattr (STDIN_FILENO, &screen->before) == 0)
    {
      raw = screen->before;
      raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
      raw.c_cc[VMIN] = 0;
      raw.c_cc[VTIME] = 0;
      screen->is_raw = tcsetattr (STDIN_FILENO, TCSANOW, &raw) == 0;
    }
  fputs (ENTER, stdout);
  fflush (stdout);
}

static void
leave (VendScreen *screen)
{
  fputs (LEAVE, stdout);
  fflush (stdout);
  if (screen->is_raw)
    tcsetattr (STDIN_FILENO, TCSANOW, &screen->before);
  screen->is_raw = false;
}

VendScreen *
vend_screen_new (VendInterrupt *interrupt)
{
  static const int taken[] = { SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };
  VendScreen *screen = g_new0 (VendScreen, 1);
  sigset_t set;
  sigemptyset (&set);
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    sigaddset (&set, taken[i]);
  screen->interrupt = interrupt;
  sigprocmask (SIG_BLOCK, &set, &screen->mask_before);
  screen->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  enter (screen);
  return screen;
}

void
vend_screen_free (VendScreen *screen)
{
  if (screen == NULL)
    return;
  leave (screen);
  vend_fd_clear (&screen->signals);
  sigprocmask (SIG_SETMASK, &screen->mask_before, NULL);
  g_free (screen);
}

void
vend_screen_size (const VendScreen *screen, guint *out_columns, guint *out_rows)
{
  struct winsize size = { 0 };
  const bool is_known = ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  *out_columns = is_known && size.ws_col > 0 ? size.ws_col : FALLBACK_COLUMNS;
  *out_rows = is_known && size.ws_row > 0 ? size.ws_row : FALLBACK_ROWS;
}

void
vend_screen_draw (VendScreen *screen, const char *const *lines, const gboolean *bold)
{
  const bool is_coloured = vend_terminal_has_colour (STDOUT_FILENO);
  g_autoptr (GString) text = g_string_new (HOME);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const bool is_bold = is_coloured && bold[i];
      g_autofree char *line = vend_plain_text (lines[i]);
      g_strdelimit (line, "\n\r\t", ' ');
      /* No line end after the last one: it would scroll. */
      g_string_append_printf (text, "%s%s%s%s" CLEAR_LINE, i > 0 ? "\n" : "", is_bold ? BOLD : "",
                              line, is_bold ? PLAIN : "");
    }
  g_string_append (text, CLEAR_BELOW);
  fputs (text->str, stdout);
  fflush (stdout);
}

/* Ctrl-Z: the shell gets its screen, until the command goes on. */
static void
suspend (VendScreen *screen)
{
  leave (screen);
  raise (SIGSTOP);
  enter (screen);
}

static VendScreenEvent
take_signal (VendScreen *screen)
{
  struct signalfd_siginfo info;
  if (read (screen->signals, &info, sizeof info) != (ssize_t) sizeof info)
    return VEND_SCREEN_TIME;
  if (info.ssi_signo == SIGTSTP)
    suspend (screen);
  return info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH ? VEND_SCREEN_SIZE
                                                                 : VEND_SCREEN_ENDING;
}

VendScreenEvent
vend_screen_wait (VendScreen *screen, int64_t wait_us, char *out_key)
{
  struct pollfd watched[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                              { .fd = screen->signals, .events = POLLIN },
                              { .fd = vend_interrupt_fd (screen->interrupt), .events = POLLIN } };
  if (vend_interrupt_pending (screen->interrupt))
    return VEND_SCREEN_ENDING;
  const int n = poll (watched, G_N_ELEMENTS (watched), (int) (wait_us / VEND_US_PER_MS));
  if (vend_interrupt_pending (screen->interrupt) || (n < 0 && errno != EINTR))
    return VEND_SCREEN_ENDING;
  if (n > 0 && watched[1].revents != 0)
    return take_signal (screen);
  if (n > 0 && watched[0].revents != 0)
    return read (STDIN_FILENO, out_key, 1) == 1 ? VEND_SCREEN_KEY : VEND_SCREEN_ENDING;
  return VEND_SCREEN_TIME;
}
