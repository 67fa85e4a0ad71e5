/* The program that makes wheels of an environment, as it is built into the binary. */
#pragma once
#include "base/embedded.h"

extern const VendEmbeddedFile vend_wheels_program[];
