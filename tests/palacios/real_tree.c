/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares what the fake claims with whatever headers come first: a real tree's when one is
 * given, the fake's own otherwise. Most of it is the compiler's work; the VMCB's bits are looked
 * at when fake_vmcb_differences() runs.
 */
#include <palacios/vmm.h>

#include <palacios/vm_guest.h>

#include <interfaces/vmm_pmu.h>
#include <palacios/svm_handler.h>
#include <palacios/vmcb.h>
#include <palacios/vmm_dev_mgr.h>
#include <palacios/vmm_extensions.h>
#include <palacios/vmm_xml.h>

#include "prototypes.h"

#define FIELD(structure, member, type)                                                             \
	_Static_assert(__builtin_types_compatible_p(__typeof__(((structure *)0)->member), type),   \
		       #structure "." #member " is not of type " #type);
#define NUMBER(name, value) _Static_assert((long)(name) == (value), #name " is not " #value);
#define BIT(member, byte, bit)
#include "fields.h"
#undef FIELD
#undef NUMBER
#undef BIT

int fake_vmcb_differences(void);

int fake_vmcb_differences(void)
{
	union {
		vmcb_ctrl_t control;
		uint8_t byte[4096];
	} page;
	int different = 0;

#define FIELD(structure, member, type)
#define NUMBER(name, value)
#define BIT(member, at, bit)                                                                       \
	memset(&page, 0, sizeof(page));                                                            \
	page.control.member = 1;                                                                   \
	different += page.byte[at] != 1u << (bit);
#include "fields.h"
	return different;
}
