/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults that a test builds in, one at a time, with -DHV_MUTANT=MUTANT_<name>, to prove that a
 * run would notice them. An ordinary build has none: every MUTANT() below is a constant 0.
 */
#ifndef MUTANT_H
#define MUTANT_H

enum {
	MUTANT_NONE,
	MUTANT_NO_INVLPG_ZAP,	/* INVLPG leaves the shadow entry in place */
	MUTANT_NO_SHADOW_DROP,	/* nested to shadow keeps the old shadow tables */
	MUTANT_STALE_GUEST_CR3, /* nested to shadow shadows the CR3 of the last shadow stay */
	MUTANT_NO_CR3_RESYNC,	/* CR3 load leaves out-of-sync tables as they are */
	MUTANT_WRITABLE_WITHOUT_DIRTY, /* writable shadow entry before the guest's entry is dirty */
	MUTANT_PF_INTERCEPT_LEFT_ON,   /* in nested paging */
	MUTANT_CR3_INTERCEPT_LEFT_ON,  /* in nested paging */
	MUTANT_CR3_NOT_RESTORED,       /* shadow to nested runs on the shadow root */
	MUTANT_NO_REINJECTION,	       /* an interrupted delivery is forgotten */
	MUTANT_RUN_BEFORE_ZAP,	       /* shadow to nested runs with shadow state alive */
	MUTANT_NO_FLUSH,	       /* a switch keeps ASID, TLB and clean bits */
	MUTANT_NO_CR2,		       /* a #PF is injected without its address */
	MUTANT_NO_WRITE_PROTECT	       /* shadowed guest tables stay writable */
};

#ifndef HV_MUTANT
#define HV_MUTANT MUTANT_NONE
#endif
#define MUTANT(name) (HV_MUTANT == MUTANT_##name)

#endif
