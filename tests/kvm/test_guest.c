/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real guest on /dev/kvm: what its phases do to the counters, and to the advice.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define SAMPLE_MS    200
#define CHURN_PER_S  1000.0 /* the line between calm and churn */
#define SKIPPED	     77
#define IDENTITY_OFF 2 /* faults of the instant of reading: values are not read atomically */

static struct guest_runner runner;

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static void start(unsigned int vcpus)
{
	ck_assert_msg(guest_runner_start(&runner, vcpus, 2048, 1024, GUEST_CALM) == 0, "%s",
		      runner.vm.error);
}

/* Calm may begin with faults: each page has its first. Waits until they are over. */
static void settle(void)
{
	uint64_t last = 0, now = 1;
	struct dav2m_sample sample;

	for (int i = 0; i < 100 && now != last; i++) {
		last = now;
		sleep_ms(SAMPLE_MS);
		ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL), 0);
		ck_assert_int_eq(
			dav2m_kvm_paging_exits(dav2m_kvm_vcpu_values(&runner.counters[0]), &now),
			1);
	}
	ck_assert_uint_eq(now, last);
}

/* Faults during one sample, per second of CPU time. */
static double fault_rate(void)
{
	const struct dav2m_kvm_values *values = dav2m_kvm_vcpu_values(&runner.counters[0]);
	struct timespec from, to;
	struct dav2m_sample sample;
	uint64_t before;
	clockid_t clock;

	ck_assert_int_eq(pthread_getcpuclockid(runner.thread[0].thread, &clock), 0);
	ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL), 0);
	before = values->value[DAV2M_KVM_PF_TAKEN];
	clock_gettime(clock, &from);
	sleep_ms(SAMPLE_MS);
	ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL), 0);
	clock_gettime(clock, &to);
	return (double)(values->value[DAV2M_KVM_PF_TAKEN] - before) /
	       ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

START_TEST(phases_show_within_one_sample)
{
	start(1);
	settle();
	for (unsigned int phase = GUEST_COLD; phase < GUEST_PHASES; phase++) {
		ck_assert_double_lt(fault_rate(), 1);
		guest_runner_phase(&runner, (enum guest_phase)phase);
		ck_assert_double_gt(fault_rate(), CHURN_PER_S);
		guest_runner_phase(&runner, GUEST_CALM);
		settle();
	}
	guest_runner_stop(&runner);
}
END_TEST

/* Faults taken beyond those that were accounted for. */
static int64_t unaccounted(void)
{
	const struct dav2m_kvm_values *v = dav2m_kvm_vcpu_values(&runner.counters[0]);
	struct dav2m_sample sample;

	ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL), 0);
	return (int64_t)(v->value[DAV2M_KVM_PF_TAKEN] - v->value[DAV2M_KVM_PF_FIXED] -
			 v->value[DAV2M_KVM_PF_GUEST] - v->value[DAV2M_KVM_PF_EMULATE] -
			 v->value[DAV2M_KVM_PF_SPURIOUS]);
}

/* The identity holds where the host's memory is warm. Where it is cold pf_taken is the larger:
   some faults are in none of the others (taken again for want of a page, one may infer). */
START_TEST(faults_add_up)
{
	int64_t off;

	start(1);
	settle();
	for (unsigned int phase = GUEST_REMAP; phase < GUEST_PHASES; phase++) {
		off = unaccounted();
		guest_runner_phase(&runner, (enum guest_phase)phase);
		sleep_ms(SAMPLE_MS);
		off = unaccounted() - off;
		ck_assert_int_ge(off, -IDENTITY_OFF);
		ck_assert_int_le(off, IDENTITY_OFF);
	}
	off = unaccounted();
	guest_runner_phase(&runner, GUEST_COLD);
	sleep_ms(SAMPLE_MS);
	ck_assert_int_ge(unaccounted() - off, -IDENTITY_OFF);
	guest_runner_stop(&runner);
}
END_TEST

static enum dav2m_mode advice(struct dav2m *controller, struct dav2m_kvm_drive *drive)
{
	struct dav2m_decision decision;

	sleep_ms(SAMPLE_MS);
	ck_assert_int_eq(dav2m_drive(controller, &dav2m_kvm_backend, drive, &decision), 0);
	return decision.mode;
}

START_TEST(the_advice_follows_the_phases)
{
	struct dav2m_kvm_drive drive = {.vcpu = runner.counters, .vcpus = 1};
	struct dav2m controller;
	struct dav2m_config config;
	unsigned int nested = 0;

	start(1);
	settle();
	guest_config(&config);
	ck_assert_int_eq(dav2m_init(&controller, &config, DAV2M_SHADOW), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(advice(&controller, &drive), DAV2M_SHADOW);
	guest_runner_phase(&runner, GUEST_REMAP);
	for (int i = 0; i < 6; i++)
		nested += advice(&controller, &drive) == DAV2M_NESTED;
	ck_assert_uint_ge(nested, 3);
	guest_runner_phase(&runner, GUEST_CALM);
	settle();
	advice(&controller, &drive);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(advice(&controller, &drive), DAV2M_SHADOW);
	guest_runner_stop(&runner);
}
END_TEST

START_TEST(vcpus_count_each_for_itself)
{
	struct dav2m_sample sample[4];

	start(4);
	for (int i = 0; i < 4; i++) {
		guest_runner_phase(&runner, GUEST_REMAP);
		sleep_ms(SAMPLE_MS);
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[i], &sample[i], NULL), 0);
		ck_assert_uint_gt(sample[i].value[DAV2M_PROGRESS], 0);
		ck_assert_uint_gt(sample[i].value[DAV2M_CYCLES], 0);
	}
	guest_runner_stop(&runner);
}
END_TEST

START_TEST(a_sample_allocates_nothing)
{
	struct dav2m_sample sample;
	struct mallinfo2 before, after;

	start(1);
	before = mallinfo2();
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL), 0);
	after = mallinfo2();
	ck_assert_uint_eq(after.uordblks, before.uordblks);
	guest_runner_stop(&runner);
}
END_TEST

START_TEST(a_watcher_finds_the_guest_by_itself)
{
	struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;
	struct dav2m_kvm_fault fault = {0};
	struct dav2m_kvm_guest *guest;
	struct dav2m_sample first, second;
	char text[300];

	start(2);
	setup.pid = (int)getpid();
	ck_assert_msg(dav2m_kvm_guest_attach(&setup, &guest, &fault) == 0, "%s",
		      dav2m_kvm_fault_text(&fault, text, sizeof(text)));
	ck_assert_uint_eq(dav2m_kvm_guest_vcpus(guest), 2);
	ck_assert_int_eq(dav2m_kvm_guest_route(guest), DAV2M_KVM_ROUTE_DESCRIPTORS);
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &first, NULL), 0);
	sleep_ms(SAMPLE_MS);
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &second, NULL), 0);
	ck_assert_uint_ne(second.valid & DAV2M_BIT(DAV2M_CYCLES), 0);
	ck_assert_uint_ne(second.valid & DAV2M_BIT(DAV2M_PAGING_EXITS), 0);
	ck_assert_uint_gt(second.value[DAV2M_CYCLES], first.value[DAV2M_CYCLES]);
	ck_assert_uint_ge(second.value[DAV2M_PAGING_EXITS], first.value[DAV2M_PAGING_EXITS]);
	first = second;
	guest_runner_stop(&runner); /* the vCPUs go: what they counted stays, or there is nothing */
	if (!dav2m_kvm_guest_sample(guest, &second, &fault))
		ck_assert_uint_ge(second.value[DAV2M_PAGING_EXITS],
				  first.value[DAV2M_PAGING_EXITS]);
	else
		ck_assert_ptr_nonnull(fault.what);
	dav2m_kvm_guest_detach(guest);
}
END_TEST

/* usage: test_kvm_guest [shadow]: what needs shadow paging, or what runs under either. */
int main(int argc, char **argv)
{
	const TTest *const either[] = {faults_add_up, a_sample_allocates_nothing,
				       vcpus_count_each_for_itself,
				       a_watcher_finds_the_guest_by_itself};
	const TTest *const shadow[] = {phases_show_within_one_sample,
				       the_advice_follows_the_phases};
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		printf("skipped: /dev/kvm: %s\n", strerror(errno));
		return SKIPPED;
	}
	close(fd);
	if (argc < 2 || strcmp(argv[1], "shadow"))
		return support_run("kvm-guest", either, sizeof(either) / sizeof(either[0]), 120);
	if (guest_host_mode() == DAV2M_NESTED) {
		printf("skipped: this host's nested paging has no paging exits to see\n");
		return SKIPPED;
	}
	return support_run("kvm-guest-shadow", shadow, sizeof(shadow) / sizeof(shadow[0]), 120);
}
