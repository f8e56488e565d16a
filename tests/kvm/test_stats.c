/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's statistics: looked up by name, whatever the kernel's layout.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT KVM_STATS_TYPE_CUMULATIVE

START_TEST(finds_names_in_any_order_among_unknown_ones)
{
	static const struct support_stat stats[] = {{"from_the_future", COUNT, 1},
						    {"pf_taken", COUNT, 70},
						    {"halt_hist", 4, 2},
						    {"exits", COUNT, 90},
						    {"pages_4k", KVM_STATS_TYPE_INSTANT, 5},
						    {"invlpg", COUNT, 3},
						    {"another", COUNT, 4}};
	struct dav2m_kvm_stats s;
	struct dav2m_kvm_values v;
	uint64_t exits;

	ck_assert_int_eq(dav2m_kvm_stats_open(&s, support_stats(stats, 7), NULL), 0);
	ck_assert_int_eq(dav2m_kvm_stats_read(&s, &v, NULL), 0);
	ck_assert_uint_eq(v.available, DAV2M_BIT(DAV2M_KVM_PF_TAKEN) | DAV2M_BIT(DAV2M_KVM_EXITS) |
					       DAV2M_BIT(DAV2M_KVM_PAGES_4K) |
					       DAV2M_BIT(DAV2M_KVM_INVLPG));
	ck_assert_uint_eq(v.value[DAV2M_KVM_PF_TAKEN], 70);
	ck_assert_uint_eq(v.value[DAV2M_KVM_EXITS], 90);
	ck_assert_uint_eq(v.value[DAV2M_KVM_PAGES_4K], 5);
	ck_assert_int_eq(dav2m_kvm_paging_exits(&v, &exits), 1);
	ck_assert_uint_eq(exits, 73);
	dav2m_kvm_stats_close(&s);
}
END_TEST

START_TEST(a_name_with_another_type_or_unit_is_not_available)
{
	static const struct support_stat stats[] = {{"pf_taken", KVM_STATS_TYPE_INSTANT, 70},
						    {"exits", COUNT | KVM_STATS_UNIT_SECONDS, 90},
						    {"invlpg", COUNT, 3}};
	struct dav2m_kvm_stats s;
	struct dav2m_kvm_values v;
	uint64_t exits = 1;

	ck_assert_int_eq(dav2m_kvm_stats_open(&s, support_stats(stats, 3), NULL), 0);
	ck_assert_int_eq(dav2m_kvm_stats_read(&s, &v, NULL), 0);
	ck_assert_uint_eq(v.available, DAV2M_BIT(DAV2M_KVM_INVLPG));
	ck_assert_int_eq(dav2m_kvm_paging_exits(&v, &exits), 0);
	ck_assert_uint_eq(exits, 1);
	dav2m_kvm_stats_close(&s);
}
END_TEST

START_TEST(without_pf_taken_faults_are_summed)
{
	static const struct support_stat stats[] = {{"pf_guest", COUNT, 4}, {"pf_fixed", COUNT, 6}};
	struct dav2m_kvm_stats s;
	struct dav2m_kvm_values v;
	uint64_t exits;

	ck_assert_int_eq(dav2m_kvm_stats_open(&s, support_stats(stats, 2), NULL), 0);
	ck_assert_int_eq(dav2m_kvm_stats_read(&s, &v, NULL), 0);
	ck_assert_int_eq(dav2m_kvm_paging_exits(&v, &exits), 1);
	ck_assert_uint_eq(exits, 10);
	dav2m_kvm_stats_close(&s);
}
END_TEST

START_TEST(a_damaged_file_is_refused_and_stays_the_callers)
{
	static const struct support_stat stats[] = {{"exits", COUNT, 4}};
	static const struct support_stat useless[] = {{"nobody", COUNT, 4}};
	struct dav2m_kvm_stats s;
	struct dav2m_kvm_fault fault;
	uint32_t huge = 1u << 30;
	int fd = support_stats(stats, 1);

	ck_assert_int_eq(pwrite(fd, &huge, 4, 8), 4); /* num_desc */
	ck_assert_int_eq(dav2m_kvm_stats_open(&s, fd, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fault.code, EPROTO);
	ck_assert_int_eq(ftruncate(fd, 10), 0);
	ck_assert_int_eq(dav2m_kvm_stats_open(&s, fd, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fcntl(fd, F_GETFD) >= 0, 1);
	ck_assert_int_eq(dav2m_kvm_stats_open(&s, support_stats(useless, 1), &fault),
			 DAV2M_ERR_BACKEND);
	ck_assert_ptr_nonnull(strstr(fault.what, "of use"));
}
END_TEST

START_TEST(a_short_read_is_an_error_and_no_value)
{
	static const struct support_stat stats[] = {{"exits", COUNT, 4}, {"pf_taken", COUNT, 5}};
	struct dav2m_kvm_values v = {.available = 77};
	struct dav2m_kvm_stats s;
	struct dav2m_kvm_fault fault;
	int fd = support_stats(stats, 2);

	ck_assert_int_eq(dav2m_kvm_stats_open(&s, fd, NULL), 0);
	ck_assert_int_eq(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
	ck_assert_int_eq(dav2m_kvm_stats_read(&s, &v, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fault.code, EPROTO);
	ck_assert_uint_eq(v.available, 77);
	dav2m_kvm_stats_close(&s);
}
END_TEST

START_TEST(a_vcpu_made_again_goes_on_counting)
{
	static const struct support_stat stats[] = {{"pf_taken", COUNT, 100}};
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_kvm_vcpu vcpu;
	struct dav2m_sample sample;
	int fd = support_stats(stats, 1);

	setup.stats_fd = fd;
	setup.hardware = 0;
	ck_assert_int_eq(dav2m_kvm_vcpu_open(&vcpu, &setup, NULL), 0);
	ck_assert_int_eq(dav2m_kvm_vcpu_sample(&vcpu, &sample, NULL), 0);
	ck_assert_uint_eq(sample.valid, DAV2M_BIT(DAV2M_PAGING_EXITS));
	ck_assert_uint_eq(sample.value[DAV2M_PAGING_EXITS], 100);
	support_stats_set(fd, 1, 0, 150);
	dav2m_kvm_vcpu_detach(&vcpu);
	ck_assert_uint_eq(vcpu.carry[DAV2M_PAGING_EXITS], 150);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	dav2m_kvm_vcpu_close(&vcpu);
}
END_TEST

START_TEST(under_nested_paging_the_exits_stand_still)
{
	static const struct support_stat stats[] = {{"pf_taken", COUNT, 100}};
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_kvm_vcpu vcpu;
	struct dav2m_sample sample;
	int fd = support_stats(stats, 1);

	setup.stats_fd = fd;
	setup.hardware = 0;
	setup.mode = DAV2M_NESTED;
	ck_assert_int_eq(dav2m_kvm_vcpu_open(&vcpu, &setup, NULL), 0);
	support_stats_set(fd, 1, 0, 900);
	ck_assert_int_eq(dav2m_kvm_vcpu_sample(&vcpu, &sample, NULL), 0);
	ck_assert_uint_eq(sample.valid, DAV2M_BIT(DAV2M_PAGING_EXITS));
	ck_assert_uint_eq(sample.value[DAV2M_PAGING_EXITS], 0);
	dav2m_kvm_vcpu_close(&vcpu);
}
END_TEST

START_TEST(nothing_readable_is_an_error_with_a_reason)
{
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_kvm_fault fault = {0};
	struct dav2m_kvm_vcpu vcpu;
	char text[200];

	setup.hardware = 0;
	ck_assert_int_eq(dav2m_kvm_vcpu_open(&vcpu, &setup, &fault), DAV2M_ERR_BACKEND);
	ck_assert_ptr_nonnull(
		strstr(dav2m_kvm_fault_text(&fault, text, sizeof(text)), "statistics"));
}
END_TEST

START_TEST(out_of_descriptors_says_which_limit_to_raise)
{
	struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;
	struct rlimit before, none;
	struct dav2m_kvm_guest *guest = NULL;
	struct dav2m_kvm_fault fault = {0};

	setup.pid = (int)getpid();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(dav2m_kvm_guest_attach(&setup, &guest, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0); /* checkers open files at exit */
	ck_assert_int_eq(fault.code, EMFILE);
	ck_assert_ptr_nonnull(strstr(fault.todo, "ulimit -n"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		finds_names_in_any_order_among_unknown_ones,
		a_name_with_another_type_or_unit_is_not_available,
		without_pf_taken_faults_are_summed,
		a_damaged_file_is_refused_and_stays_the_callers,
		a_short_read_is_an_error_and_no_value,
		a_vcpu_made_again_goes_on_counting,
		under_nested_paging_the_exits_stand_still,
		nothing_readable_is_an_error_with_a_reason,
		out_of_descriptors_says_which_limit_to_raise,
	};

	return support_run("kvm-stats", tests, sizeof(tests) / sizeof(tests[0]), 30);
}
