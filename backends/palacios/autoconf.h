/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for the autoconf.h of a Palacios tree that was never configured; for compiling only. */
#define V3_CONFIG_LINUX		1
#define V3_CONFIG_SVM		1
#define V3_CONFIG_VMX		1
#define V3_CONFIG_HOST_PMU	1
#define V3_CONFIG_SHADOW_PAGING 1
#define V3_CONFIG_NESTED_PAGING 1
#define V3_CONFIG_MEM_TRACK	1
#define V3_CONFIG_CHECKPOINT	1
#define V3_CONFIG_MULTIBOOT	1
#define V3_CONFIG_HVM		1
#define V3_CONFIG_MAX_CPUS	16
