/* libcurl on a GMainContext: connections are kept alive and reused, callbacks of the easy handles
 * run on the thread of the context. Nothing blocks. */
#pragma once
#include <stdbool.h>
#include <curl/curl.h>
#include <glib.h>

typedef struct VendCurlContext VendCurlContext;

/* The transfer is over and `easy` is no longer in the context; it may be freed, or added again.
 * Called outside of libcurl, so transfers may be started or canceled from it. */
typedef void (*VendCurlDone) (CURL *easy, CURLcode result, void *data);

VendCurlContext *vend_curl_context_new (GMainContext *context) G_GNUC_WARN_UNUSED_RESULT;

/* For peers that send small pieces without TCP_NODELAY: acknowledges each at once. Off at first. */
void vend_curl_context_set_quick_acks (VendCurlContext *curl, bool on);

/* Makes the sockets of transfers that start from now on; -1: there is none. */
typedef int (*VendCurlOpener) (void *data);
void vend_curl_context_set_opener (VendCurlContext *curl, VendCurlOpener opener, void *data);

/* Every transfer must have been canceled or be done. Not from inside a callback. */
void vend_curl_context_free (VendCurlContext *curl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCurlContext, vend_curl_context_free)

/* Starts a transfer. The caller owns `easy` and keeps it alive until `done` or cancel. May be
 * called from a callback of another handle. */
void vend_curl_context_start (VendCurlContext *curl, CURL *easy, VendCurlDone done, void *data);

/* Stops a transfer, without its `done`, and frees `easy`: at once, or, from inside a callback of
 * libcurl, after libcurl has returned (a write callback should also return CURL_WRITEFUNC_ERROR
 * then, or it may be called again). */
void vend_curl_context_cancel (VendCurlContext *curl, CURL *easy);
