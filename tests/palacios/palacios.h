/* SPDX-License-Identifier: BSD-2-Clause */
/* What the suites of this folder share. */
#ifndef TEST_PALACIOS_H
#define TEST_PALACIOS_H

#include "fake/fake.h"

#define FORCE_HCALL 0xda20ull

/* A VM in long mode with paging on, the extension configured, no core entered yet. */
void vm_configure(int cores, const char *const *section);
/* The same, and each core entered three times, a tick each: the controllers have their baseline. */
void vm_start(int cores, const char *const *section);
/* Frees the VM and fails where anything is left, or where the fake found fault. */
void vm_end(void);
/* Asks for a mode by hypercall (a value of enum dav2m_pin) and lets the core enter once more. */
void vm_force(int core, int pin);
/* Fails unless each field of the core says so. */
void expect_shadow(int core);
void expect_nested(int core);

#define SHADOW_PIN 0
#define NESTED_PIN 1

extern const char *const section_plain[];
extern const char *const section_hypercall[];

#endif
