/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <stdint.h> inside a Palacios build. Palacios defines uint64_t and its like itself, and not as
 * a compiler's own stdint.h does (uint64_t is unsigned long long): one translation unit cannot
 * see both. This folder comes first in the include path of all that is compiled into Palacios,
 * libdav2m's core included, so that there is only one definition, and Palacios' types are it.
 *
 * It holds what libdav2m uses and nothing else.
 */
#ifndef DAV2M_PALACIOS_STDINT_H
#define DAV2M_PALACIOS_STDINT_H

#include <palacios/vmm_types.h>

/* Signed types have names of their own there. */
typedef sint32_t int32_t;
typedef sint64_t int64_t;

#define INT32_MAX  0x7fffffff
#define INT32_MIN  (-INT32_MAX - 1)
#define INT64_C(c) c##ll

#define UINT8_MAX  0xffu
#define UINT16_MAX 0xffffu
#define UINT32_MAX 0xffffffffu
#define UINT64_MAX 0xffffffffffffffffull

#define UINT32_C(c) c##u
#define UINT64_C(c) c##ull

#endif
