/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The perf path, with software events where the machine has no PMU: encoding, one group, exact
 * counts, scaling, errors.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES	100u
#define SKIPPED 77

/* AddressSanitizer's own memory faults too: 3 or 4 pages in each round were seen. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECKERS_PAGES 16u
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CHECKERS_PAGES 16u
#elif !defined(CHECKERS_PAGES)
#define CHECKERS_PAGES 0u
#endif

/* Any counters do: the group does not know what they mean. */
static const struct dav2m_kvm_event software[] = {
	{"perf", DAV2M_PROGRESS, "PERF_COUNT_SW_PAGE_FAULTS_MIN", DAV2M_KVM_HOST_AND_GUEST},
	{"perf", DAV2M_CYCLES, "PERF_COUNT_SW_TASK_CLOCK", DAV2M_KVM_HOST_AND_GUEST},
	{"perf", DAV2M_TLB_MISSES, "PERF_COUNT_SW_PAGE_FAULTS", DAV2M_KVM_HOST_AND_GUEST},
	{"perf", DAV2M_TLB_MISSES, "PERF_COUNT_SW_PAGE_FAULTS_MAJ", DAV2M_KVM_HOST_AND_GUEST},
};

static uint64_t encoding(const char *pmu, const char *event)
{
	struct perf_event_attr attr = {0};
	pfm_perf_encode_arg_t arg = {.attr = &attr, .size = sizeof(arg)};
	char name[128];

	snprintf(name, sizeof(name), "%s::%s", pmu, event);
	ck_assert_int_eq(pfm_initialize(), PFM_SUCCESS);
	ck_assert_msg(pfm_get_os_event_encoding(name, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT,
						&arg) == PFM_SUCCESS,
		      "%s does not encode", name);
	return attr.config;
}

START_TEST(every_event_of_the_table_encodes)
{
	static const struct {
		const char *pmu, *event;
		uint64_t config;
	} checked[] = {
		{"amd64_fam10h_barcelona", "L1_DTLB_AND_L2_DTLB_MISS:ALL", 0x746},
		{"amd64_fam17h_zen2", "L1_DTLB_MISS:TLB_RELOAD_4K_L2_MISS", 0x1045},
		{"amd64_fam17h_zen2", "TLB_FLUSHES:ALL", 0xff78},
		{"skl", "DTLB_LOAD_MISSES:WALK_ACTIVE", 0x1001008},
		{"skx", "DTLB_STORE_MISSES:WALK_ACTIVE", 0x1001049},
		{"skx", "EPT:WALK_PENDING", 0x104f},
		{"skl", "TLB_FLUSH:STLB_ANY", 0x20bd},
		{"icl", "DTLB_LOAD_MISSES:WALK_ACTIVE", 0x1001008},
		{"spr", "DTLB_STORE_MISSES:WALK_ACTIVE", 0x1001013},
		{"hsw", "DTLB_LOAD_MISSES:WALK_DURATION", 0x1008},
		{"bdw", "EPT:WALK_CYCLES", 0x104f},
	};
	const struct dav2m_kvm_event *row;
	size_t n = 0;

	for (; (row = dav2m_kvm_event(n)); n++)
		ck_assert_uint_ne(encoding(row->pmu, row->name), 0);
	ck_assert_uint_gt(n, 50);
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++)
		ck_assert_uint_eq(encoding(checked[i].pmu, checked[i].event), checked[i].config);
}
END_TEST

START_TEST(every_family_fits_one_group_and_leads_with_cycles)
{
	const struct dav2m_kvm_event *row, *last = NULL;
	size_t of_family = 0;

	for (size_t i = 0; (row = dav2m_kvm_event(i)); i++) {
		int new = !last || strcmp(row->pmu, last->pmu);

		if (new)
			ck_assert_int_eq(row->counter, DAV2M_CYCLES);
		else
			ck_assert_int_ge(row->counter, last->counter == DAV2M_CYCLES
							       ? DAV2M_PROGRESS
							       : last->counter);
		ck_assert_int_eq(row->scope, row->counter == DAV2M_CYCLES ? DAV2M_KVM_HOST_AND_GUEST
									  : DAV2M_KVM_GUEST_ONLY);
		of_family = new ? 1 : of_family + 1;
		ck_assert_uint_le(of_family, DAV2M_KVM_EVENTS_MAX);
		last = row;
	}
}
END_TEST

/* The same pages each time, given back before: nothing else is mapped while events count. */
static void pages_touch(void)
{
	static volatile char *memory;

	if (!memory) {
		void *map = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert(map != MAP_FAILED);
		madvise(map, PAGES * 4096, MADV_NOHUGEPAGE);
		memory = map;
	}
	ck_assert_int_eq(madvise((void *)(uintptr_t)memory, PAGES * 4096, MADV_DONTNEED), 0);
	for (size_t i = 0; i < PAGES; i++)
		memory[i * 4096] = 1;
}

static void software_open(struct dav2m_kvm_perf *perf)
{
	struct dav2m_kvm_fault fault = {0};
	char text[300];

	ck_assert_msg(dav2m_kvm_perf_open(perf, software, 4, 0, &fault) == 0, "%s",
		      dav2m_kvm_fault_text(&fault, text, sizeof(text)));
}

START_TEST(a_group_counts_each_touched_page_once)
{
	struct dav2m_sample before = {.valid = 0}, after = {.valid = 0};
	struct dav2m_kvm_perf perf;

	software_open(&perf);
	/* Code and data of the first round are faulted in by it. */
	for (int i = 0; i < 2; i++) {
		pages_touch();
		ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &before, NULL), 0);
	}
	pages_touch();
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &after, NULL), 0);
	ck_assert_uint_eq(after.valid, DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) |
					       DAV2M_BIT(DAV2M_TLB_MISSES));
	for (unsigned int i = 0; i < 2; i++) {
		static const enum dav2m_counter pages[] = {DAV2M_PROGRESS, DAV2M_TLB_MISSES};
		uint64_t seen = after.value[pages[i]] - before.value[pages[i]];

		ck_assert_uint_ge(seen, PAGES);
		ck_assert_uint_le(seen, PAGES + CHECKERS_PAGES);
	}
	ck_assert_uint_gt(after.value[DAV2M_CYCLES], before.value[DAV2M_CYCLES]);
	ck_assert_uint_eq(perf.running_bp, DAV2M_ONE_BP);
	dav2m_kvm_perf_close(&perf);
}
END_TEST

/* Puts an answer of our own in place of the kernel's. */
struct answer {
	uint64_t n, enabled, running, pair[8];
};

static void answer_set(struct dav2m_kvm_perf *perf, const struct answer *answer, size_t bytes)
{
	int fd = memfd_create("group", 0);

	ck_assert_int_eq(write(fd, answer, bytes), (ssize_t)bytes);
	lseek(fd, 0, SEEK_SET);
	ck_assert_int_eq(dup2(fd, perf->fd[0]), perf->fd[0]);
	close(fd);
}

START_TEST(a_multiplexed_group_is_scaled_and_says_so)
{
	struct dav2m_sample sample = {.valid = 0};
	struct dav2m_kvm_perf perf;
	struct answer answer = {1, 400, 100, {50}};

	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, software, 1, 0, NULL), 0);
	answer.pair[1] = perf.id[0];
	answer_set(&perf, &answer, 40);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &sample, NULL), 0);
	ck_assert_uint_eq(sample.value[DAV2M_PROGRESS], 200);
	ck_assert_uint_eq(perf.running_bp, 2500);
	dav2m_kvm_perf_close(&perf);
}
END_TEST

START_TEST(a_group_that_never_ran_is_missing_until_it_runs)
{
	struct dav2m_sample sample = {.valid = 0};
	struct dav2m_kvm_perf perf;
	struct answer answer = {1, 400, 0, {0}};

	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, software, 1, 0, NULL), 0);
	answer.pair[1] = perf.id[0];
	answer_set(&perf, &answer, 40);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &sample, NULL), 0);
	ck_assert_uint_eq(sample.valid, 0);
	ck_assert_uint_eq(perf.running_bp, 0);
	answer.enabled = 800;
	answer.running = 400;
	answer.pair[0] = 30;
	answer_set(&perf, &answer, 40);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &sample, NULL), 0);
	ck_assert_uint_eq(sample.value[DAV2M_PROGRESS], 60);
	dav2m_kvm_perf_close(&perf);
}
END_TEST

START_TEST(a_short_or_foreign_answer_is_an_error)
{
	struct dav2m_sample sample = {.valid = 0};
	struct dav2m_kvm_fault fault;
	struct dav2m_kvm_perf perf;
	struct answer answer = {1, 400, 400, {50}};

	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, software, 1, 0, NULL), 0);
	answer.pair[1] = perf.id[0];
	answer_set(&perf, &answer, 32);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &sample, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fault.code, EPROTO);
	answer.pair[1]++;
	answer_set(&perf, &answer, 40);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &sample, &fault), DAV2M_ERR_BACKEND);
	ck_assert_uint_eq(sample.valid, 0);
	dav2m_kvm_perf_close(&perf);
}
END_TEST

START_TEST(hardware_events_count)
{
	struct dav2m_sample before = {.valid = 0}, after = {.valid = 0};
	struct dav2m_kvm_perf perf;

	ck_assert_int_eq(dav2m_kvm_perf_open_hardware(&perf, 0, NULL), 0);
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &before, NULL), 0);
	pages_touch();
	ck_assert_int_eq(dav2m_kvm_perf_read(&perf, &after, NULL), 0);
	ck_assert_uint_ne(after.valid & DAV2M_BIT(DAV2M_CYCLES), 0);
	ck_assert_uint_gt(after.value[DAV2M_CYCLES], before.value[DAV2M_CYCLES]);
	dav2m_kvm_perf_close(&perf);
}
END_TEST

START_TEST(without_hardware_events_it_says_why)
{
	struct dav2m_kvm_fault fault = {0};
	struct dav2m_kvm_perf perf;
	char text[400];

	ck_assert_int_eq(dav2m_kvm_perf_open_hardware(&perf, 0, &fault), DAV2M_ERR_BACKEND);
	dav2m_kvm_fault_text(&fault, text, sizeof(text));
	ck_assert_msg(strstr(text, "no PMU") || strstr(text, "CAP_PERFMON") ||
			      strstr(text, "table of events"),
		      "%s", text);
}
END_TEST

START_TEST(wrong_rows_are_refused)
{
	static const struct dav2m_kvm_event unknown[] = {
		{"perf", DAV2M_CYCLES, "NO_SUCH_EVENT", DAV2M_KVM_HOST_AND_GUEST}};
	struct dav2m_kvm_perf perf;
	struct dav2m_kvm_fault fault;

	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, software, 0, 0, NULL), DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, software, DAV2M_KVM_EVENTS_MAX + 1, 0, NULL),
			 DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_kvm_perf_open(&perf, unknown, 1, 0, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fault.code, EINVAL);
}
END_TEST

static int hardware_opens(void)
{
	struct dav2m_kvm_perf perf;

	if (dav2m_kvm_perf_open_hardware(&perf, 0, NULL))
		return 0;
	dav2m_kvm_perf_close(&perf);
	return 1;
}

/* One of the two can be tested on a given machine. */
static int hardware_run(int wanted)
{
	const TTest *const with[] = {hardware_events_count};
	const TTest *const without[] = {without_hardware_events_it_says_why};

	if (hardware_opens() != wanted) {
		printf("skipped: this machine %s\n",
		       wanted ? "has no PMU that Linux lets us use" : "has a PMU");
		return SKIPPED;
	}
	return support_run(wanted ? "kvm-pmu" : "kvm-no-pmu", wanted ? with : without, 1, 30);
}

/* usage: test_kvm_perf [pmu|no-pmu]: what needs one, what needs none, or what runs anywhere. */
int main(int argc, char **argv)
{
	const TTest *const tests[] = {
		every_event_of_the_table_encodes,
		every_family_fits_one_group_and_leads_with_cycles,
		a_group_counts_each_touched_page_once,
		a_multiplexed_group_is_scaled_and_says_so,
		a_group_that_never_ran_is_missing_until_it_runs,
		a_short_or_foreign_answer_is_an_error,
		wrong_rows_are_refused,
	};

	setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
	if (argc > 1)
		return hardware_run(!strcmp(argv[1], "pmu"));
	return support_run("kvm-perf", tests, sizeof(tests) / sizeof(tests[0]), 30);
}
