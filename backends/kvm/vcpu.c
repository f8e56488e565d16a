/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's sample: puts together what the sources give, and keeps count of where each counter
 * comes from. Later sources replace earlier ones: CPU time, then PMU, then the VMM's own.
 */
#include <dav2m/kvm/vcpu.h>

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cputime.h"
#include "fault.h"
#include "vcpu.h"

static const char no_event[] = "count this event";

static void origin_found(struct dav2m_kvm_vcpu *vcpu, enum dav2m_counter counter, const char *from)
{
	struct dav2m_kvm_origin found = {.from = from};

	vcpu->origin[counter] = found;
}

static void origin_missing(struct dav2m_kvm_vcpu *vcpu, enum dav2m_counter counter,
			   const struct dav2m_kvm_fault *why)
{
	struct dav2m_kvm_origin missing = {.missing = *why};

	vcpu->origin[counter] = missing;
}

static int stats_fd_take(const struct dav2m_kvm_vcpu_setup *setup,
			 struct dav2m_kvm_fault *ret_fault)
{
	static const char what[] = "get KVM's statistics of the vCPU";
	int fd = setup->stats_fd;

	if (setup->vcpu_fd >= 0) {
		fd = ioctl(setup->vcpu_fd, KVM_GET_STATS_FD, 0ul);
		if (fd < 0)
			dav2m_kvm_fault_errno(ret_fault, what,
					      errno == ENOTTY ? "this kernel is older than 5.14"
							      : NULL);
	} else if (fd < 0) {
		dav2m_kvm_fault_set(ret_fault, what, "the VMM does not have them open", 0);
	}
	return fd;
}

void dav2m_kvm_vcpu_stats_origin(struct dav2m_kvm_vcpu *vcpu, uint32_t available)
{
	static const struct dav2m_kvm_fault unnamed = {
		"find pf_taken, or pf_fixed and pf_guest, in KVM's statistics",
		"this kernel does not count page faults", 0};
	struct dav2m_kvm_values has = {.available = available};
	uint64_t exits;

	if (vcpu->mode == DAV2M_NESTED)
		origin_found(vcpu, DAV2M_PAGING_EXITS, "none, under nested paging");
	else if (dav2m_kvm_paging_exits(&has, &exits))
		origin_found(vcpu, DAV2M_PAGING_EXITS, "KVM's statistics, without CR writes");
	else
		origin_missing(vcpu, DAV2M_PAGING_EXITS, &unnamed);
}

static int stats_setup(struct dav2m_kvm_vcpu *vcpu, const struct dav2m_kvm_vcpu_setup *setup,
		       struct dav2m_kvm_fault *ret_fault)
{
	int fd = stats_fd_take(setup, ret_fault);

	if (fd >= 0 && dav2m_kvm_stats_open(&vcpu->stats, fd, ret_fault)) {
		if (setup->vcpu_fd >= 0)
			close(fd);
		fd = -1;
	}
	if (fd < 0) {
		origin_missing(vcpu, DAV2M_PAGING_EXITS, ret_fault);
		return DAV2M_ERR_BACKEND;
	}
	dav2m_kvm_vcpu_stats_origin(vcpu, vcpu->stats.available);
	return 0;
}

static void perf_origins(struct dav2m_kvm_vcpu *vcpu)
{
	static const struct dav2m_kvm_fault unfit = {
		no_event,
		"it did not fit the PMU beside the others, or the kernel does not know it: switch "
		"off the NMI watchdog or other users of the PMU",
		0};
	static const struct dav2m_kvm_fault unlisted = {
		no_event, "the table of events has none for this processor", 0};

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		enum dav2m_counter c = (enum dav2m_counter)i;

		if (vcpu->perf.available & DAV2M_BIT(i))
			origin_found(vcpu, c, "the PMU");
		else if (!vcpu->origin[i].from && c != DAV2M_PAGING_EXITS &&
			 c != DAV2M_PAGING_EXIT_CYCLES)
			origin_missing(vcpu, c,
				       vcpu->perf.left_out & DAV2M_BIT(i) ? &unfit : &unlisted);
	}
}

static int perf_setup(struct dav2m_kvm_vcpu *vcpu, const struct dav2m_kvm_vcpu_setup *setup)
{
	static const enum dav2m_counter pmu_only[] = {DAV2M_PROGRESS, DAV2M_TLB_MISSES,
						      DAV2M_WALK_CYCLES, DAV2M_TLB_FLUSHES};
	struct dav2m_kvm_fault why = {"use the PMU", "it was not asked for", 0};

	if (setup->hardware && !setup->tid)
		why.todo = "the vCPU's thread is not known";
	else if (setup->hardware && !dav2m_kvm_perf_open_hardware(&vcpu->perf, setup->tid, &why)) {
		perf_origins(vcpu);
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(pmu_only) / sizeof(pmu_only[0]); i++)
		origin_missing(vcpu, pmu_only[i], &why);
	return DAV2M_ERR_BACKEND;
}

static int cputime_setup(struct dav2m_kvm_vcpu *vcpu, const struct dav2m_kvm_vcpu_setup *setup)
{
	struct dav2m_kvm_fault why = {0};

	if (dav2m_kvm_cputime_open(vcpu, setup->pid, setup->tid, &why)) {
		origin_missing(vcpu, DAV2M_CYCLES, &why);
		return DAV2M_ERR_BACKEND;
	}
	vcpu->tsc_khz = dav2m_kvm_cputime_tsc_khz();
	origin_found(vcpu, DAV2M_CYCLES,
		     vcpu->tsc_khz ? "CPU time of the thread at the TSC's rate"
				   : "CPU time of the thread in ns");
	return 0;
}

int dav2m_kvm_vcpu_open(struct dav2m_kvm_vcpu *vcpu, const struct dav2m_kvm_vcpu_setup *setup,
			struct dav2m_kvm_fault *ret_fault)
{
	static const struct dav2m_kvm_fault uncounted = {"count the cycles in paging exits",
							 "no kernel counts them; the VMM can", 0};
	struct dav2m_kvm_fault why = {0};
	int works;

	if (!vcpu || !setup)
		return DAV2M_ERR_NULL;
	if ((unsigned int)setup->mode >= DAV2M_MODES)
		return DAV2M_ERR_RANGE;
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->stats.fd = vcpu->cputime_fd = -1;
	vcpu->mode = setup->mode;
	vcpu->own = setup->own;
	vcpu->arg = setup->arg;
	origin_missing(vcpu, DAV2M_PAGING_EXIT_CYCLES, &uncounted);
	works = !cputime_setup(vcpu, setup);
	works |= !perf_setup(vcpu, setup);
	works |= !stats_setup(vcpu, setup, &why);
	if (works || setup->own)
		return 0;
	if (ret_fault)
		*ret_fault = why;
	dav2m_kvm_vcpu_close(vcpu);
	return DAV2M_ERR_BACKEND;
}

static int cputime_add(const struct dav2m_kvm_vcpu *vcpu, struct dav2m_sample *sample,
		       struct dav2m_kvm_fault *ret_fault)
{
	uint64_t ns;
	int code = dav2m_kvm_cputime_read(vcpu, &ns);

	if (code)
		return dav2m_kvm_fault_set(ret_fault, "read the thread's CPU time",
					   dav2m_kvm_fault_todo(code), code);
	sample->value[DAV2M_CYCLES] = dav2m_kvm_cputime_cycles(ns, vcpu->tsc_khz);
	sample->valid |= DAV2M_BIT(DAV2M_CYCLES);
	return 0;
}

/* Page faults under nested paging are the host's own business: the count stands still. */
void dav2m_kvm_vcpu_paging_exits(struct dav2m_kvm_vcpu *vcpu, struct dav2m_sample *sample)
{
	uint64_t exits;

	if (!dav2m_kvm_paging_exits(&vcpu->values, &exits))
		return;
	if (vcpu->mode == DAV2M_NESTED)
		vcpu->faults_base = exits;
	sample->value[DAV2M_PAGING_EXITS] =
		vcpu->carry[DAV2M_PAGING_EXITS] + exits - vcpu->faults_base;
	sample->valid |= DAV2M_BIT(DAV2M_PAGING_EXITS);
}

static void own_add(struct dav2m_kvm_vcpu *vcpu, const struct dav2m_sample *own,
		    struct dav2m_sample *sample)
{
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		if (!(own->valid & DAV2M_BIT(i)))
			continue;
		sample->value[i] = own->value[i];
		origin_found(vcpu, (enum dav2m_counter)i, "the VMM");
	}
	sample->valid |= own->valid & DAV2M_ALL_COUNTERS;
}

int dav2m_kvm_vcpu_sample(struct dav2m_kvm_vcpu *vcpu, struct dav2m_sample *ret_sample,
			  struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_sample sample = {.valid = 0}, own = {.valid = 0};

	if (!vcpu || !ret_sample)
		return DAV2M_ERR_NULL;
	if (vcpu->cputime && cputime_add(vcpu, &sample, ret_fault))
		return DAV2M_ERR_BACKEND;
	if (vcpu->perf.events && dav2m_kvm_perf_read(&vcpu->perf, &sample, ret_fault))
		return DAV2M_ERR_BACKEND;
	if (vcpu->stats.span) {
		if (dav2m_kvm_stats_read(&vcpu->stats, &vcpu->values, ret_fault))
			return DAV2M_ERR_BACKEND;
		dav2m_kvm_vcpu_paging_exits(vcpu, &sample);
	}
	if (vcpu->own) {
		if (vcpu->own(vcpu->arg, &own))
			return dav2m_kvm_fault_set(ret_fault, "read the VMM's own counters", NULL,
						   0);
		own_add(vcpu, &own, &sample);
	}
	*ret_sample = sample;
	return 0;
}

void dav2m_kvm_vcpu_detach(struct dav2m_kvm_vcpu *vcpu)
{
	struct dav2m_sample last = {.valid = 0};
	struct dav2m_kvm_fault ignored;

	if (!vcpu)
		return;
	if (vcpu->stats.span && !dav2m_kvm_stats_read(&vcpu->stats, &vcpu->values, &ignored))
		dav2m_kvm_vcpu_paging_exits(vcpu, &last);
	if (last.valid)
		vcpu->carry[DAV2M_PAGING_EXITS] = last.value[DAV2M_PAGING_EXITS];
	dav2m_kvm_stats_close(&vcpu->stats);
}

int dav2m_kvm_vcpu_attach(struct dav2m_kvm_vcpu *vcpu, int vcpu_fd, enum dav2m_mode mode,
			  struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_kvm_fault why = {0};

	if (!vcpu)
		return DAV2M_ERR_NULL;
	if ((unsigned int)mode >= DAV2M_MODES)
		return DAV2M_ERR_RANGE;
	setup.vcpu_fd = vcpu_fd;
	vcpu->mode = mode;
	vcpu->faults_base = 0; /* the new VM's statistics start at 0 */
	if (!stats_setup(vcpu, &setup, &why))
		return 0;
	if (ret_fault)
		*ret_fault = why;
	return DAV2M_ERR_BACKEND;
}

const struct dav2m_kvm_values *dav2m_kvm_vcpu_values(const struct dav2m_kvm_vcpu *vcpu)
{
	return vcpu ? &vcpu->values : NULL;
}

void dav2m_kvm_vcpu_close(struct dav2m_kvm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	dav2m_kvm_stats_close(&vcpu->stats);
	dav2m_kvm_perf_close(&vcpu->perf);
	dav2m_kvm_cputime_close(vcpu);
}

/*
 * Without progress a tick is a sample and a threshold a rate. 10 exits per ms is a choice, not
 * tuned: the churning phases of examples/kvm-guest come to 95 to 200 per ms of CPU time on one
 * host (kvm_pvm on Linux 6.18), which is at most 5 to 10 us each, the guest's own work included;
 * 10 of them per ms would be at most a tenth of a processor there. What an exit costs alone was
 * not measured. 2000 misses per ms is the repaired preset's 1e6 per 10 ticks of 50 ms.
 */
#define EXITS_PER_MS	       10u
#define MISSES_PER_MS_AND_TICK 2000u

int dav2m_kvm_config(uint32_t interval_ms, uint32_t available, struct dav2m_config *ret_config)
{
	int error;

	if (interval_ms < 10 || interval_ms > 10000)
		return DAV2M_ERR_RANGE;
	error = dav2m_config_preset(DAV2M_PRESET_REPAIRED, ret_config);
	if (error || available & DAV2M_BIT(DAV2M_PROGRESS))
		return error;
	ret_config->threshold_vmexit = EXITS_PER_MS * interval_ms * ret_config->window_vmexit;
	ret_config->threshold_tmiss =
		MISSES_PER_MS_AND_TICK * interval_ms * ret_config->window_tmiss;
	return 0;
}
