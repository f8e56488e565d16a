/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Basic types as Palacios defines them. uint64_t is unsigned long long on purpose: with the
 * compiler's stdint.h in the same translation unit this does not compile, as it must not.
 */
#ifndef FAKE_PALACIOS_TYPES_H
#define FAKE_PALACIOS_TYPES_H

#ifndef NULL /* clang's own headers may have been here */
#define NULL ((void *)0)
#endif

typedef unsigned char uchar_t;
typedef unsigned short ushort_t;
typedef unsigned int uint_t;
typedef unsigned long ulong_t;
typedef unsigned long long ullong_t;
typedef unsigned long size_t;
typedef long ssize_t;
typedef uchar_t bool;

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef int sint32_t;
typedef long long sint64_t;

typedef ulong_t addr_t;
typedef ullong_t v3_reg_t;

typedef enum { SHADOW_PAGING, NESTED_PAGING } v3_paging_mode_t;
typedef enum { REAL, PROTECTED, PROTECTED_PAE, LONG, LONG_32_COMPAT, LONG_16_COMPAT } v3_cpu_mode_t;
typedef enum { PHYSICAL_MEM, VIRTUAL_MEM } v3_mem_mode_t;

#endif
