/* URLs that may hold a password, for people. Pure. */
#pragma once

/* The URL with its password as ***. */
char *vend_shown_url (const char *url);
