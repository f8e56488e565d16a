/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain whose vCPUs are threads, and another thread that administrates it, for ThreadSanitizer
 * and for what must hold at any interleaving: nothing published is lost, one thread at a time
 * decides, one alone switches, no work of one mode counts in the other.
 */
#include <pthread.h>
#include <sched.h>

#include "rig.h"

#define VCPUS	4
#define SAMPLES 20000

struct vm {
	struct dav2m_vcpu vcpu[VCPUS];
	struct dav2m_domain domain;
	/* Plain on purpose: only the thread whose turn it is touches it. */
	uint32_t switches;
	uint64_t last_tick;
	uint32_t mode;	/* atomic: what the guests run in */
	uint32_t turns; /* atomic: threads that believe that it is their turn to switch */
	uint32_t works; /* atomic: pieces of work done, by which the administrator tells time */
	/* Parking. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t stop;	  /* vCPUs are to park; written under lock, looked at without */
	uint32_t stopped; /* parked, or gone for good; under lock */
};

struct guest {
	struct vm *vm;
	uint32_t index;
	uint64_t seed;
	struct dav2m_sample counters;
	uint64_t counted; /* paging exits counted one by one */
	uint32_t decided; /* samples that were not BUSY */
	uint32_t broken;  /* rules seen broken; Check's own assertions are for the main thread */
};

/* Waits until no other vCPU runs. */
static void park_others(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	__atomic_store_n(&vm->stop, 1, __ATOMIC_RELAXED);
	while (vm->stopped < VCPUS - 1)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

static void release_others(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	__atomic_store_n(&vm->stop, 0, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

/* If the switch is not over by now, publishes and waits for its end. */
static void park(struct guest *guest)
{
	struct vm *vm = guest->vm;
	struct dav2m_decision none;

	pthread_mutex_lock(&vm->lock);
	if (vm->stop) {
		guest->broken += dav2m_domain_sample(&vm->domain, guest->index, &guest->counters,
						     &none) != DAV2M_ERR_BUSY;
		vm->stopped++;
		pthread_cond_broadcast(&vm->changed);
		while (vm->stop)
			pthread_cond_wait(&vm->changed, &vm->lock);
		vm->stopped--;
	}
	pthread_mutex_unlock(&vm->lock);
}

/* It has published all and will not run again. */
static void leave(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->stopped++;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

static void switch_domain(struct guest *guest, const struct dav2m_decision *decision)
{
	struct vm *vm = guest->vm;
	enum dav2m_outcome outcome = rig_random(&guest->seed) % 4 ? DAV2M_DONE : DAV2M_DEFERRED;

	guest->broken += __atomic_fetch_add(&vm->turns, 1, __ATOMIC_RELAXED) != 0;
	guest->broken += decision->tick < vm->last_tick;
	guest->broken += decision->mode == __atomic_load_n(&vm->mode, __ATOMIC_RELAXED);
	vm->last_tick = decision->tick;
	park_others(vm);
	if (outcome == DAV2M_DONE) {
		vm->switches++;
		__atomic_store_n(&vm->mode, decision->mode, __ATOMIC_RELAXED);
	}
	__atomic_fetch_sub(&vm->turns, 1, __ATOMIC_RELAXED);
	guest->broken += dav2m_domain_acknowledge(&vm->domain, outcome, 10) != 0;
	release_others(vm);
}

/* Work that is dear in the mode that runs, so that the domain switches often. */
static void work(struct guest *guest)
{
	int nested = __atomic_load_n(&guest->vm->mode, __ATOMIC_RELAXED) == DAV2M_NESTED;
	uint64_t progress = 1 + rig_random(&guest->seed) % 400;
	uint32_t exits = nested ? 0 : (uint32_t)(progress / 2);

	guest->counters.value[DAV2M_PROGRESS] += progress;
	guest->counters.value[DAV2M_CYCLES] += 2 * progress;
	guest->counters.value[DAV2M_TLB_MISSES] += nested ? 5 * progress : 0;
	guest->counted += exits;
	dav2m_vcpu_paging_exits(&guest->vm->vcpu[guest->index], exits);
	__atomic_fetch_add(&guest->vm->works, 1, __ATOMIC_RELAXED);
}

static void sample(struct guest *guest)
{
	struct dav2m_decision decision;
	int error =
		dav2m_domain_sample(&guest->vm->domain, guest->index, &guest->counters, &decision);

	if (error == DAV2M_ERR_BUSY)
		return;
	guest->broken += error != 0;
	guest->decided++;
	if (error == 0 && decision.action == DAV2M_SWITCH)
		switch_domain(guest, &decision);
}

static void *run(void *opaque)
{
	struct guest *guest = opaque;

	for (int i = 0; i < SAMPLES; i++) {
		sample(guest);
		work(guest);
		if (__atomic_load_n(&guest->vm->stop, __ATOMIC_RELAXED))
			park(guest);
	}
	sample(guest);
	leave(guest->vm);
	return NULL;
}

/* The administrator. */

#define ROUNDS (VCPUS * SAMPLES / 500)

struct admin {
	struct vm *vm;
	int widths;	 /* retunes counters' width, too */
	uint32_t broken; /* as a guest's */
};

static struct dav2m_config config_of_round(uint32_t round, int widths)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);

	config.window_tmiss = 2;
	config.window_trans = 4;
	config.threshold_max_times = 1;
	config.threshold_vmexit += round % 3;
	if (widths)
		config.counter_bits = round % 2 ? 40 : 64;
	return config;
}

/* Exits there are under shadow paging only, and misses under nested paging. */
static int explain(struct admin *admin)
{
	struct dav2m_explanation now = {.resets = 0};
	int error = dav2m_domain_explain(&admin->vm->domain, &now);

	admin->broken += now.resets != 0;
	if (now.mode == DAV2M_NESTED)
		admin->broken += now.window.paging_exits != 0;
	else
		admin->broken += now.window.tlb_misses != 0;
	return error;
}

static int administrate(struct admin *admin, uint32_t round)
{
	const struct dav2m_config config = config_of_round(round, admin->widths);

	if (round % 4 == 0)
		return dav2m_domain_retune(&admin->vm->domain, &config);
	if (round % 4 == 2)
		return dav2m_domain_pin(&admin->vm->domain,
					round % 8 == 2 ? DAV2M_PIN_NONE : DAV2M_PIN_NESTED);
	return explain(admin);
}

static void *watch(void *opaque)
{
	struct admin *admin = opaque;
	int error;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		while (__atomic_load_n(&admin->vm->works, __ATOMIC_RELAXED) < round * 500)
			sched_yield();
		while ((error = administrate(admin, round)) == DAV2M_ERR_BUSY)
			sched_yield();
		admin->broken += error != 0;
	}
	return NULL;
}

static void start(struct vm *vm, struct guest *guests)
{
	const struct dav2m_config config = config_of_round(0, 0);

	memset(vm, 0, sizeof(*vm));
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	ck_assert_int_eq(dav2m_domain_init(&vm->domain, &config, DAV2M_SHADOW, vm->vcpu, VCPUS), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		guests[i] = (struct guest){
			.vm = vm,
			.index = i,
			.seed = i,
			.counters.valid = RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS),
		};
}

/* What the vCPUs published is what their counters did, and what the controller has seen of it. */
static void check_sums(const struct vm *vm, const struct guest *guests)
{
	for (int c = 0; c < DAV2M_COUNTERS; c++) {
		uint64_t all = 0;

		for (int i = 0; i < VCPUS; i++) {
			uint64_t want = guests[i].counters.value[c];
			uint64_t low = vm->vcpu[i].low[c], high = vm->vcpu[i].high[c];

			if (c == DAV2M_PAGING_EXITS)
				want = guests[i].counted;
			ck_assert_uint_eq(high << 32 | low, want);
			all += want;
		}
		ck_assert_uint_eq(vm->domain.controller.meter.total[c], all);
	}
}

static void check_counts(const struct vm *vm, const struct guest *guests)
{
	struct dav2m_explanation now;
	uint64_t samples = 0, decided = 0;

	ck_assert_int_eq(dav2m_explain(&vm->domain.controller, &now), 0);
	for (int reason = 0; reason < DAV2M_REASONS; reason++)
		samples += now.count[reason];
	for (int i = 0; i < VCPUS; i++) {
		ck_assert_uint_eq(guests[i].broken, 0);
		decided += guests[i].decided;
	}
	ck_assert_uint_eq(samples, decided);
	ck_assert_uint_eq(now.count[DAV2M_UNACKNOWLEDGED], 0);
	ck_assert_uint_eq(now.tally.switches[0] + now.tally.switches[1], vm->switches);
	ck_assert_int_eq(now.mode, vm->mode);
	ck_assert_uint_gt(vm->switches, 10);
}

/* _i: vCPUs' counters change their width on the way; then work is lost, but nothing else. */
START_TEST(stress)
{
	static struct vm vm;
	struct guest guests[VCPUS];
	struct admin admin = {.vm = &vm, .widths = _i};
	pthread_t threads[VCPUS + 1];

	start(&vm, guests);
	for (int i = 0; i < VCPUS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &guests[i]), 0);
	ck_assert_int_eq(pthread_create(&threads[VCPUS], NULL, watch, &admin), 0);
	for (int i = 0; i <= VCPUS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	/* Alone now, so not BUSY: the last sums. */
	sample(&guests[0]);
	ck_assert_uint_eq(admin.broken, 0);
	check_counts(&vm, guests);
	if (!_i)
		check_sums(&vm, guests);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("domain_threads");

	tcase_add_loop_test(tests, stress, 0, 2);
	tcase_set_timeout(tests, 120);
	return rig_main("domain_threads", tests);
}
