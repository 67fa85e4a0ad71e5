/* Numbers with their nouns in sentences. Any thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

/* "1 try", "2 tries", "0 tries": `n` and the right word. Free with g_free. */
char *vend_count_text (uint64_t n, const char *one, const char *more) G_GNUC_WARN_UNUSED_RESULT;
