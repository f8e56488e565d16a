/* SPDX-License-Identifier: BSD-2-Clause */
/* One of the names under which the fake is included: see ../types.h. */
#include "types.h"

#include "prototypes.h"
