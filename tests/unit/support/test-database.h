/* The database of a test: a file, or one on the server that VEND_TEST_POSTGRES names. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* DIR/vend.db, or with VEND_TEST_POSTGRES, a URL with %s for the name of a database: the URL of the
 * database that stands for it, made when it is not there. Free with g_free. */
char *test_database (const char *dir);
bool test_database_is_file (void);

/* The first number that `sql` gives on a connection of its own. */
guint64 test_database_number (const char *url, const char *sql);
