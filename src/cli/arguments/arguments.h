/* Arguments and members that several commands read. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/arguments/options.h"
#include "cli/terminal/terminal.h"
#include "json/json.h"

/* INVALID unless `text` looks like an id of Vend; `what` names the thing: "prediction". */
bool vend_argument_id_check (const char *what, const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* INVALID unless `text` is 64 hex digits. */
bool vend_argument_version_check (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* INVALID unless `text` is at least the first 8 of 64 hex digits. */
bool vend_argument_version_prefix_check (const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* INVALID unless `path` is there, may be read and is no directory. */
bool vend_argument_file_check (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a numeric option holds before the command line is read, to tell whether it names it. */
#define VEND_ARGUMENT_NOT_SAID (-1000000007)
bool vend_argument_is_said (double value);

/* INVALID unless `value` of the option --`name` is a number from `least` to `greatest`. */
bool vend_argument_range_check (const char *name, double value, double least, double greatest,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends "?name=value", or "&name=value" to a path that has a query. */
void vend_argument_add_query (GString *path, const char *name, const char *value);

/* "/v1/models/owner/name" of "owner/name"; a version is refused. Free with g_free. */
bool vend_argument_model_path (const char *text, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A string member for people: "" when it is absent or null. Borrowed. */
const char *vend_argument_shown (const json_t *object, const char *key);

/* "2026-01-05 10:00:00.123" in the local time, of a date-time member; "" when it is absent or null.
 * Free with g_free. */
char *vend_argument_local_time (const json_t *object, const char *key) G_GNUC_WARN_UNUSED_RESULT;

/* "2026-01-05 10:00:00" of a date-time member; free with g_free. */
char *vend_argument_shown_time (const json_t *object, const char *key) G_GNUC_WARN_UNUSED_RESULT;
