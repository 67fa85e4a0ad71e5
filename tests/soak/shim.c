/* Preloaded into the server and its directors: a disk that is full or slow, a clock that steps, and
 * no more threads, as a control file says that is shared by all of them. */
/* Both names of a function are needed, not one for the other. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* tests/soak/shim.py writes it. */
typedef struct
{
  _Atomic int64_t clock_us;      /* added to the wall clock */
  _Atomic int64_t sync_delay_us; /* of each fsync */
  _Atomic int64_t full;          /* writes below VEND_SHIM_DIR fail */
  _Atomic int64_t threads;       /* that a process may have beside its first one; 0: any number */
} Control;

static Control nothing;
static Control *control = &nothing;
static const char *dir = "";

__attribute__ ((constructor)) static void
set_up (void)
{
  const char *path = getenv ("VEND_SHIM_CONTROL");
  const char *below = getenv ("VEND_SHIM_DIR");
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  void *mapped = fd >= 0 ? mmap (NULL, sizeof (Control), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (fd >= 0)
    close (fd);
  if (mapped == MAP_FAILED || below == NULL)
    return;
  dir = below;
  control = mapped;
}

#define NEXT(name) \
  static __typeof__ (&name) next; \
  if (next == NULL) \
  next = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name)

static int
is_below (const char *path)
{
  size_t length = strlen (dir);
  return length > 0 && strncmp (path, dir, length) == 0 && path[length] == '/';
}

/* Whether the disk of this descriptor is full. */
static int
is_full (int fd)
{
  char link[64], path[PATH_MAX];
  struct stat st;
  if (control->full == 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    return 0;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink (link, path, sizeof path - 1);
  if (n < 0)
    return 0;
  path[n] = '\0';
  return is_below (path);
}

static int
refuse (void)
{
  errno = ENOSPC;
  return -1;
}

static int
may_not_make (const char *path, int flags)
{
  return control->full != 0 && (flags & O_CREAT) != 0 && is_below (path) && access (path, F_OK) < 0;
}

#define OPEN(name) \
  int name (const char *path, int flags, ...) \
  { \
    va_list args; \
    va_start (args, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (args, mode_t) : 0; \
    va_end (args); \
    NEXT (name); \
    return may_not_make (path, flags) ? refuse () : next (path, flags, mode); \
  }
OPEN (open)
OPEN (open64)

#define OPENAT(name) \
  int name (int at, const char *path, int flags, ...) \
  { \
    va_list args; \
    va_start (args, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (args, mode_t) : 0; \
    va_end (args); \
    NEXT (name); \
    return may_not_make (path, flags) ? refuse () : next (at, path, flags, mode); \
  }
OPENAT (openat)
OPENAT (openat64)

int
mkdir (const char *path, mode_t mode)
{
  NEXT (mkdir);
  return may_not_make (path, O_CREAT) ? refuse () : next (path, mode);
}

ssize_t
write (int fd, const void *data, size_t size)
{
  NEXT (write);
  return is_full (fd) ? refuse () : next (fd, data, size);
}

ssize_t
writev (int fd, const struct iovec *parts, int n)
{
  NEXT (writev);
  return is_full (fd) ? refuse () : next (fd, parts, n);
}

ssize_t
pwrite (int fd, const void *data, size_t size, off_t at)
{
  NEXT (pwrite);
  return is_full (fd) ? refuse () : next (fd, data, size, at);
}

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t at)
{
  NEXT (pwrite64);
  return is_full (fd) ? refuse () : next (fd, data, size, at);
}

int
posix_fallocate (int fd, off_t at, off_t size)
{
  NEXT (posix_fallocate);
  return is_full (fd) ? ENOSPC : next (fd, at, size);
}

static void
be_slow (void)
{
  int64_t us = control->sync_delay_us;
  if (us > 0)
    usleep ((useconds_t) us);
}

int
fsync (int fd)
{
  NEXT (fsync);
  be_slow ();
  return is_full (fd) ? refuse () : next (fd);
}

int
fdatasync (int fd)
{
  NEXT (fdatasync);
  be_slow ();
  return is_full (fd) ? refuse () : next (fd);
}

typedef struct
{
  void *(*run) (void *data);
  void *data;
} Thread;

static _Atomic int64_t n_threads;

static void *
run_thread (void *data)
{
  Thread thread = *(Thread *) data;
  free (data);
  void *result = thread.run (thread.data);
  n_threads--;
  return result;
}

int
pthread_create (pthread_t *out, const pthread_attr_t *attributes, void *(*run) (void *), void *data)
{
  NEXT (pthread_create);
  Thread *thread = malloc (sizeof *thread);
  if (thread == NULL)
    return EAGAIN;
  *thread = (Thread){ run, data };
  const int64_t limit = control->threads;
  const int result
      = ++n_threads > limit && limit > 0 ? EAGAIN : next (out, attributes, run_thread, thread);
  if (result != 0)
    {
      n_threads--;
      free (thread);
    }
  return result;
}

int
clock_gettime (clockid_t clock, struct timespec *out)
{
  NEXT (clock_gettime);
  int result = next (clock, out);
  int64_t us = control->clock_us;
  if (result < 0 || us == 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
    return result;
  int64_t ns = out->tv_nsec + us % 1000000 * 1000;
  out->tv_sec += us / 1000000 + (ns >= 1000000000) - (ns < 0);
  out->tv_nsec = (ns + 1000000000) % 1000000000;
  return result;
}

int
gettimeofday (struct timeval *restrict out, void *restrict zone)
{
  struct timespec now;
  (void) zone;
  if (clock_gettime (CLOCK_REALTIME, &now) < 0)
    return -1;
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t
time (time_t *out)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  if (out != NULL)
    *out = now.tv_sec;
  return now.tv_sec;
}
