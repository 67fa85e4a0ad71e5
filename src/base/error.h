/* The one error domain of Vend and the table that maps it to HTTP. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_ERROR (vend_error_quark ())
#define VEND_ERROR_TEXT_BYTES 8192 /* longest text; it may quote a whole file */

typedef enum
{
  VEND_ERROR_INVALID,      /* the caller's input is invalid; the text names the field */
  VEND_ERROR_UNAUTHORIZED, /* no valid token */
  VEND_ERROR_FORBIDDEN,    /* a valid token without the scope */
  VEND_ERROR_PAYMENT,      /* the budget of the account is spent */
  VEND_ERROR_NOT_FOUND,    /* not found, or not visible to the caller */
  VEND_ERROR_EXISTS,       /* the name is taken */
  VEND_ERROR_CONFLICT,     /* not allowed in the current state */
  VEND_ERROR_BAD_REQUEST,  /* not even parseable: malformed JSON, bad header */
  VEND_ERROR_MEDIA_TYPE,   /* unknown content type of a body */
  VEND_ERROR_TOO_LARGE,    /* a named limit was passed */
  VEND_ERROR_RATE_LIMITED, /* try again later */
  VEND_ERROR_BUSY,         /* no capacity, or a lock is taken */
  VEND_ERROR_TIMEOUT,      /* a deadline passed */
  VEND_ERROR_CANCELED,     /* stopped on request */
  VEND_ERROR_UNAVAILABLE,  /* a needed part is not available now */
  VEND_ERROR_RUNNER,       /* a model server, build or child process failed */
  VEND_ERROR_STORAGE,      /* database or disk */
  VEND_ERROR_NO_SPACE,     /* the disk is full */
  VEND_ERROR_INTERNAL,     /* a bug */
  VEND_ERROR_N_CODES
} VendError;

typedef struct
{
  const char *id;    /* stable problem id, as in docs/errors.md */
  int http_status;   /* status of the reply */
  const char *title; /* `title` of the problem document */
} VendErrorInfo;

GQuark vend_error_quark (void);

/* The HTTP form of a code. Never NULL; codes outside the domain count as INTERNAL. */
const VendErrorInfo *vend_error_info (const GError *error);

/* Sets `error` and returns false, so that a failing function ends in one line. Invalid UTF-8 in the
 * text is replaced, and too long a text is cut. */
bool vend_fail (GError **error, VendError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Like vend_fail, with ": <strerror (saved_errno)>" added. STORAGE becomes NO_SPACE for ENOSPC and
 * EDQUOT. */
bool vend_fail_errno (GError **error, VendError code, int saved_errno, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
