/* The launcher and the zygote's Python, as they are built into the program. */
#pragma once
#include "base/embedded.h"

/* The first one is the launcher. */
extern const VendEmbeddedFile vend_zygote_files[];
