/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's own statistics of a VM or a vCPU, by name.
 *
 * The layout describes itself and differs between kernels: names are looked up when the file is
 * opened, and a name that this kernel does not have, or has with another type or unit, is not
 * available. It is never a zero.
 */
#ifndef DAV2M_KVM_STATS_H
#define DAV2M_KVM_STATS_H

#include <dav2m/kvm/fault.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_kvm_stat {
	/* of a vCPU, cumulative */
	DAV2M_KVM_EXITS = 0, /* all exits, host interrupts included */
	DAV2M_KVM_IRQ_EXITS, /* of them, for a host interrupt */
	DAV2M_KVM_HALT_EXITS,
	DAV2M_KVM_IO_EXITS,
	DAV2M_KVM_MMIO_EXITS,
	DAV2M_KVM_PF_TAKEN, /* page faults that KVM took: the next four and, where the
			       host's memory is cold, others that none of them counts */
	DAV2M_KVM_PF_FIXED,
	DAV2M_KVM_PF_GUEST, /* handed on to the guest */
	DAV2M_KVM_PF_EMULATE,
	DAV2M_KVM_PF_SPURIOUS,
	DAV2M_KVM_INVLPG,
	DAV2M_KVM_TLB_FLUSH,
	DAV2M_KVM_INSN_EMULATION,
	/* of a VM */
	DAV2M_KVM_SHADOW_ZAPPED, /* cumulative */
	DAV2M_KVM_PAGES_4K,	 /* instant: pages of each size that the guest's memory is
				    mapped with now */
	DAV2M_KVM_PAGES_2M,
	DAV2M_KVM_PAGES_1G
};
#define DAV2M_KVM_STATS 17

struct dav2m_kvm_values {
	uint64_t value[DAV2M_KVM_STATS];
	uint32_t available; /* DAV2M_BIT of each stat that value holds */
};

/* Private: all members. */
struct dav2m_kvm_stats {
	int fd;
	uint32_t available;
	uint64_t start; /* of the span that is read, in the file */
	uint32_t bytes;
	uint32_t at[DAV2M_KVM_STATS]; /* in the span */
	unsigned char *span;
};

/* The kernel's name, for example "pf_taken". */
DAV2M_API const char *dav2m_kvm_stat_name(enum dav2m_kvm_stat stat);

/*
 * Takes over a statistics descriptor, as KVM_GET_STATS_FD gives it, and looks the names up. On
 * an error the descriptor stays the caller's. Errors: NULL, BACKEND.
 */
DAV2M_API int dav2m_kvm_stats_open(struct dav2m_kvm_stats *stats, int fd,
				   struct dav2m_kvm_fault *ret_fault);

/*
 * Reads what is available with one pread; works while the vCPU runs. The kernel does not read
 * atomically: sums over several values may be off by the faults of that instant.
 * Errors: NULL, BACKEND.
 */
DAV2M_API int dav2m_kvm_stats_read(struct dav2m_kvm_stats *stats,
				   struct dav2m_kvm_values *ret_values,
				   struct dav2m_kvm_fault *ret_fault);

DAV2M_API void dav2m_kvm_stats_close(struct dav2m_kvm_stats *stats);

/*
 * Paging exits as these values show them: pf_taken + invlpg, or on kernels before pf_taken
 * pf_fixed + pf_guest + invlpg. Writes to control registers are not among KVM's statistics, so
 * this is a lower bound. Answers 0 if the values do not have it, else 1.
 */
DAV2M_API int dav2m_kvm_paging_exits(const struct dav2m_kvm_values *values, uint64_t *ret_exits);

#ifdef __cplusplus
}
#endif

#endif
