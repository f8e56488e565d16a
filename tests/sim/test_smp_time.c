/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors in time, on operations put in by hand: who gets a lock and when, what an IPI does to
 * its target, what the flush clock saves, what two nodes' memory makes of two CPUs' lines. All
 * times are counted out in the tests; no price is another one's multiple by accident.
 */
#include "rig.h"

#include "smp_time.h"

#define CPUS 3

/* Prices that can be told apart in a sum. */
static const struct dav2m_sim_price prices[DAV2M_SMP_ITEMS] = {
	[DAV2M_SMP_LOCK] = {1, 0, ""},	       [DAV2M_SMP_LINE] = {10, 0, ""},
	[DAV2M_SMP_IPI_SEND] = {3, 0, ""},     [DAV2M_SMP_IPI_DELIVER] = {20, 0, ""},
	[DAV2M_SMP_IPI_HANDLE] = {50, 0, ""},  [DAV2M_SMP_TLB_FLUSH] = {7, 0, ""},
	[DAV2M_SMP_VCPU_SWITCH] = {40, 0, ""}, [DAV2M_SMP_STORE_LOCAL] = {2, 0, ""},
	[DAV2M_SMP_STORE_REMOTE] = {5, 0, ""}, [DAV2M_SMP_CONTROLLER] = {4, 0, ""},
	[DAV2M_SMP_PORT] = {9, 0, ""},
};

struct rigged {
	struct smp_machine machine;
	uint32_t flushed[DAV2M_SMP_CPUS]; /* how often, by physical CPU */
	uint64_t order[16];		  /* what CALLs came in which order: vCPU, time */
	uint32_t calls;
};

/* What is queued in the beginning is all there is. */
static int no_more(void *self, struct smp_vcpu *vcpu)
{
	(void)self;
	(void)vcpu;
	return 0;
}

static void on_call(void *self, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	struct rigged *rigged = self;

	ck_assert_uint_lt(rigged->calls, 16);
	rigged->order[rigged->calls++] = vcpu->id * 1000000ull + vcpu->time;
	(void)op;
}

static void on_flush(void *self, uint32_t pcpu)
{
	((struct rigged *)self)->flushed[pcpu]++;
}

static void begin_on(struct rigged *rigged, uint32_t vcpus, uint32_t pcpus, uint32_t nodes)
{
	const struct smp_owner owner = {rigged, no_more, on_call, on_flush};

	memset(rigged, 0, sizeof(*rigged));
	rigged->machine.owner = owner;
	rigged->machine.price = prices;
	rigged->machine.slice_cycles = 1000;
	ck_assert_int_eq(smp_machine_init(&rigged->machine, 1, vcpus, pcpus, nodes, 2), 0);
	rigged->machine.lock[1].kind = DAV2M_SMP_FLUSH_LOCK;
}

static void put(struct rigged *rigged, uint32_t vcpu, enum smp_kind kind, uint32_t what, uint32_t a,
		uint64_t b)
{
	smp_append(&rigged->machine, &rigged->machine.vcpu[vcpu], smp_op(kind, what, a, b));
}

static void run(struct rigged *rigged)
{
	ck_assert_int_eq(smp_machine_run(&rigged->machine, UINT64_MAX), 0);
}

static const struct smp_vcpu *vcpu(const struct rigged *rigged, uint32_t id)
{
	return &rigged->machine.vcpu[id];
}

static void held(struct rigged *rigged, uint32_t id, uint64_t before, uint64_t inside)
{
	put(rigged, id, SMP_RUN, SMP_GUEST, 0, before);
	put(rigged, id, SMP_ACQUIRE, 0, 0, 0);
	put(rigged, id, SMP_RUN, SMP_VMM, 0, inside);
	put(rigged, id, SMP_RELEASE, 0, 0, 0);
}

/* Nobody waits: the first pays for the instruction, the second for the line to come over. */
START_TEST(free_lock)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, CPUS, CPUS, 1);
	held(&r, 0, 100, 30);
	held(&r, 1, 200, 30);
	run(&r);
	ck_assert_uint_eq(vcpu(&r, 0)->time, 100 + 1 + 30);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 200 + 10 + 30);
	ck_assert_uint_eq(r.machine.counts.lock[0].taken, 2);
	ck_assert_uint_eq(r.machine.counts.lock[0].contended, 0);
	ck_assert_uint_eq(r.machine.counts.lock[0].held_cycles, 60);
	smp_machine_free(&r.machine);
}
END_TEST

/* Three want it: first come, first served, each beginning a line's way after the other. */
START_TEST(contended_lock)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, CPUS, CPUS, 1);
	held(&r, 0, 100, 500);
	held(&r, 1, 130, 50);
	held(&r, 2, 120, 50);
	run(&r);
	ck_assert_uint_eq(vcpu(&r, 0)->time, 601);
	ck_assert_uint_eq(vcpu(&r, 2)->time, 601 + 10 + 50);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 661 + 10 + 50);
	ck_assert_uint_eq(vcpu(&r, 2)->counts.spin_cycles, 611 - 120);
	ck_assert_uint_eq(vcpu(&r, 1)->counts.spin_cycles, 671 - 130);
	ck_assert_uint_eq(r.machine.counts.lock[0].contended, 2);
	ck_assert_uint_eq(r.machine.counts.lock[0].wait_cycles, 491 + 541);
	ck_assert_uint_eq(r.machine.counts.lock[0].held_cycles, 500 + 50 + 50);
	smp_machine_free(&r.machine);
}
END_TEST

/* The order of calls is that of time, ties going to the lower physical CPU. */
START_TEST(least_time_first)
{
	static const uint64_t expected[] = {2000050, 100, 1000100, 150, 2000200};
	struct rigged r = {.calls = 0};
	int i;

	begin_on(&r, CPUS, CPUS, 1);
	put(&r, 0, SMP_RUN, SMP_GUEST, 0, 100);
	put(&r, 0, SMP_CALL, 0, 0, 0);
	put(&r, 0, SMP_RUN, SMP_GUEST, 0, 50);
	put(&r, 0, SMP_CALL, 0, 0, 0);
	put(&r, 1, SMP_RUN, SMP_GUEST, 0, 100);
	put(&r, 1, SMP_CALL, 0, 0, 0);
	put(&r, 2, SMP_RUN, SMP_GUEST, 0, 50);
	put(&r, 2, SMP_CALL, 0, 0, 0);
	put(&r, 2, SMP_RUN, SMP_GUEST, 0, 150);
	put(&r, 2, SMP_CALL, 0, 0, 0);
	run(&r);
	ck_assert_uint_eq(r.calls, 5);
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(r.order[i], expected[i]);
	smp_machine_free(&r.machine);
}
END_TEST

/* Two targets, one after the other; the sender waits for the last, each target loses a handler. */
START_TEST(ipis)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, CPUS, CPUS, 1);
	put(&r, 0, SMP_RUN, SMP_GUEST, 0, 100);
	put(&r, 0, SMP_FLUSH, 0, 0, 0);
	put(&r, 0, SMP_SEND, SMP_SEND_ALL, 5, 0);
	put(&r, 1, SMP_RUN, SMP_GUEST, 0, 1000);
	put(&r, 2, SMP_RUN, SMP_GUEST, 0, 2000);
	run(&r);
	/* 107: own flush; writes at 110 and 113; the second is there at 133, done 50 + 7 + 5
	   later, and says so by a line. */
	ck_assert_uint_eq(vcpu(&r, 0)->time, 133 + 62 + 10);
	ck_assert_uint_eq(vcpu(&r, 0)->counts.spin_cycles, 205 - 113);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 1000 + 62);
	ck_assert_uint_eq(vcpu(&r, 2)->time, 2000 + 62);
	ck_assert_uint_eq(vcpu(&r, 2)->counts.irq_cycles, 62);
	ck_assert_uint_eq(r.machine.counts.ipis, 2);
	ck_assert_uint_eq(r.machine.flush_clock, 3);
	for (int i = 0; i < CPUS; i++)
		ck_assert_uint_eq(r.flushed[i], 1);
	smp_machine_free(&r.machine);
}
END_TEST

/* A CPU that spins takes the IPI; it gets its lock when the handler is through. */
START_TEST(ipi_while_spinning)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, CPUS, CPUS, 1);
	held(&r, 0, 100, 50);
	held(&r, 1, 110, 50);
	put(&r, 2, SMP_RUN, SMP_GUEST, 0, 120);
	put(&r, 2, SMP_SEND, SMP_SEND_ALL, 0, 1 << 1);
	run(&r);
	/* CPU 2's IPI: written at 123, there at 143, through at 200. The lock is free at 151. */
	ck_assert_uint_eq(vcpu(&r, 0)->time, 151);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 200 + 50);
	ck_assert_uint_eq(vcpu(&r, 2)->time, 200 + 10);
	smp_machine_free(&r.machine);
}
END_TEST

static void flusher(struct rigged *rigged, uint32_t id, uint64_t before)
{
	put(rigged, id, SMP_RUN, SMP_GUEST, 0, before);
	put(rigged, id, SMP_FLUSH, 0, 0, 0);
	put(rigged, id, SMP_ACQUIRE, 0, 1, 0);
	put(rigged, id, SMP_SEND, SMP_SEND_FILTERED, 0, 0);
	put(rigged, id, SMP_RELEASE, 0, 1, 0);
}

/*
 * Three CPUs flush at about the same time. Without the clock each sends two IPIs. With it the first
 * finds that both others have flushed after it has, so it sends none; the second finds the third,
 * and that the first has flushed before: one IPI; so does the third, which finds the first
 * interrupted meanwhile.
 */
START_TEST(flush_clock)
{
	static const uint64_t sent[] = {6, 2};
	static const uint64_t saved[] = {0, 4};
	struct rigged r = {.calls = 0};

	begin_on(&r, CPUS, CPUS, 1);
	r.machine.filter = _i;
	/* The first holds the lock already, so that the others flush while it waits. */
	put(&r, 0, SMP_RUN, SMP_GUEST, 0, 90);
	put(&r, 0, SMP_FLUSH, 0, 0, 0);
	put(&r, 0, SMP_ACQUIRE, 0, 1, 0);
	put(&r, 0, SMP_RUN, SMP_VMM, 0, 40);
	put(&r, 0, SMP_SEND, SMP_SEND_FILTERED, 0, 0);
	put(&r, 0, SMP_RELEASE, 0, 1, 0);
	flusher(&r, 1, 100);
	flusher(&r, 2, 110);
	run(&r);
	ck_assert_uint_eq(r.machine.counts.ipis, sent[_i]);
	ck_assert_uint_eq(r.machine.counts.ipis_saved, saved[_i]);
	if (_i == 1) {
		/* 97: flushed; 98: has the lock; 138: sends nothing. The second: 107 flushed, has
		   the lock at 148, one IPI to the first: 151 + 20 + 57 + 10. */
		ck_assert_uint_eq(vcpu(&r, 1)->time, 238);
		ck_assert_uint_eq(vcpu(&r, 0)->time, 138);
	}
	smp_machine_free(&r.machine);
}
END_TEST

/* A flush that is older than the request saves nothing. */
START_TEST(flush_clock_is_no_licence)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, 2, 2, 1);
	r.machine.filter = 1;
	put(&r, 1, SMP_RUN, SMP_GUEST, 0, 50);
	put(&r, 1, SMP_FLUSH, 0, 0, 0);
	flusher(&r, 0, 100);
	run(&r);
	ck_assert_uint_eq(r.machine.counts.ipis_saved, 0);
	/* The other one has ended, but its CPU still holds the domain's translations. */
	ck_assert_uint_eq(r.machine.counts.ipis, 1);
	ck_assert_uint_eq(r.flushed[1], 2);
	smp_machine_free(&r.machine);
}
END_TEST

/* Two vCPUs on one CPU: one runs while the other one idles; the TLB goes with each turn. */
START_TEST(idling)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, 2, 1, 1);
	put(&r, 0, SMP_JOB, 0, 0, 500);
	put(&r, 1, SMP_RUN, SMP_GUEST, 0, 800);
	put(&r, 1, SMP_JOB, 0, 0, 0);
	run(&r);
	/* vCPU 0 idles at once; vCPU 1 has the CPU until it ends, then vCPU 0 has it again. */
	ck_assert_uint_eq(vcpu(&r, 1)->time, 40 + 800);
	ck_assert_uint_eq(vcpu(&r, 0)->time, 840 + 40);
	ck_assert_uint_eq(r.flushed[0], 2);
	ck_assert_uint_eq(r.machine.counts.vcpu_switches, 2);
	ck_assert_uint_eq(vcpu(&r, 0)->counts.jobs + vcpu(&r, 1)->counts.jobs, 2);
	smp_machine_free(&r.machine);
}
END_TEST

/* And when both always have something to do, each has a slice in turn. */
static int more_work(void *self, struct smp_vcpu *of)
{
	struct rigged *rigged = self;

	if (of->counts.guest_cycles >= 3000)
		return 0;
	smp_append(&rigged->machine, of, smp_work(SMP_GUEST, 400));
	return 1;
}

START_TEST(slices)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, 2, 1, 1);
	r.machine.owner.refill = more_work;
	run(&r);
	/* A slice of 1000 ends with the third piece of 400. So it is 1200 of vCPU 0, a switch and
	   as much of vCPU 1, three times: 3200 each, the last slice of 800. */
	ck_assert_uint_eq(r.machine.counts.vcpu_switches, 5);
	ck_assert_uint_eq(vcpu(&r, 0)->time, 2 * (1200 + 40 + 1200 + 40) + 800);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 2 * (1200 + 40 + 1200 + 40) + 800 + 40 + 800);
	ck_assert_uint_eq(vcpu(&r, 1)->counts.guest_cycles, 3200);
	smp_machine_free(&r.machine);
}
END_TEST

/* A CPU alone, near and far; and two that want the same controller, or the same port. */
START_TEST(nodes)
{
	static const struct {
		uint32_t node[2];
		uint64_t lines[2];
		uint64_t time[2];
	} cases[] = {
		/* its own work 2 a line, the controller 4: that decides */
		{{0, 0}, {10, 0}, {40, 0}},
		/* and 2 + 5 of its own, and 9 for the port: that decides */
		{{1, 0}, {10, 0}, {90, 0}},
		/* two nodes, each its own: nobody waits */
		{{0, 1}, {10, 10}, {40, 40}},
		/* both in node 1: the one that is at home waits for its controller behind the other
		   one, which waits for the port */
		{{1, 1}, {10, 10}, {90, 80}},
		/* each in the other one's: both ports carry both */
		{{1, 0}, {10, 10}, {90, 180}},
	};
	struct rigged r = {.calls = 0};
	uint32_t i;

	begin_on(&r, 2, 2, 2);
	for (i = 0; i < 2; i++)
		if (cases[_i].lines[i] > 0)
			put(&r, i, SMP_MEMORY, 0, cases[_i].node[i], cases[_i].lines[i]);
	run(&r);
	for (i = 0; i < 2; i++)
		ck_assert_uint_eq(vcpu(&r, i)->time, cases[_i].time[i]);
	smp_machine_free(&r.machine);
}
END_TEST

/* The others stand until the one that stops them has done its work. */
START_TEST(stop_others)
{
	struct rigged r = {.calls = 0};

	begin_on(&r, 2, 2, 1);
	put(&r, 0, SMP_RUN, SMP_GUEST, 0, 100);
	put(&r, 1, SMP_RUN, SMP_GUEST, 0, 100);
	ck_assert_int_eq(smp_machine_run(&r.machine, 100), 1);
	smp_stop_others(&r.machine, &r.machine.vcpu[0], 1000);
	/* 100 + 3 write, 20 delivery, 57 handler, 10 line, 1000 work */
	ck_assert_uint_eq(vcpu(&r, 0)->time, 1190);
	ck_assert_uint_eq(vcpu(&r, 1)->time, 100 + 57 + (1190 - 180));
	ck_assert_uint_eq(r.machine.pcpu[1].irq_until, 1190);
	smp_machine_free(&r.machine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim smp time");
	TCase *tcase = tcase_create("time");

	tcase_add_test(tcase, free_lock);
	tcase_add_test(tcase, contended_lock);
	tcase_add_test(tcase, least_time_first);
	tcase_add_test(tcase, ipis);
	tcase_add_test(tcase, ipi_while_spinning);
	tcase_add_loop_test(tcase, flush_clock, 0, 2);
	tcase_add_test(tcase, flush_clock_is_no_licence);
	tcase_add_test(tcase, idling);
	tcase_add_test(tcase, slices);
	tcase_add_loop_test(tcase, nodes, 0, 5);
	tcase_add_test(tcase, stop_others);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
