/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch by reloading: each step refused once, with a VM and modules that only keep count.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#define SWITCH_CYCLES 10u
#define SAMPLES	      128u /* longer than the longest wait after failures, of 64 ticks */

enum step { SAVE = 1, UNLOAD, LOAD, MODE, OPEN, RESTORE };

struct fake {
	enum step fail;	    /* this step answers an error */
	unsigned int fails; /* so often */
	int vm_open;
	int loaded;
	enum dav2m_mode mode; /* of the module */
	unsigned int memory;  /* what the guest would lose if anything touched it */
	unsigned int saves, restores;
};

static int refuse(struct fake *fake, enum step step)
{
	if (fake->fail != step || !fake->fails)
		return 0;
	fake->fails--;
	return 1;
}

static int fake_save(void *arg)
{
	struct fake *fake = arg;

	ck_assert(fake->vm_open);
	fake->saves++;
	return refuse(fake, SAVE) ? EIO : 0;
}

static void fake_close(void *arg)
{
	((struct fake *)arg)->vm_open = 0;
}

static int fake_open(void *arg, enum dav2m_mode mode)
{
	struct fake *fake = arg;

	ck_assert(!fake->vm_open && fake->loaded);
	ck_assert_int_eq(mode, fake->mode);
	if (refuse(fake, OPEN))
		return ENOMEM;
	fake->vm_open = 1;
	return 0;
}

static int fake_restore(void *arg)
{
	struct fake *fake = arg;

	ck_assert(fake->vm_open);
	if (refuse(fake, RESTORE))
		return EINVAL;
	fake->restores++;
	return 0;
}

static int fake_unload(void *arg)
{
	struct fake *fake = arg;

	if (fake->vm_open || refuse(fake, UNLOAD))
		return EAGAIN;
	if (!fake->loaded)
		return ENOENT;
	fake->loaded = 0;
	return 0;
}

static int fake_load(void *arg, enum dav2m_mode mode)
{
	struct fake *fake = arg;

	ck_assert(!fake->loaded);
	if (refuse(fake, LOAD))
		return ENOEXEC;
	fake->loaded = 1;
	fake->mode = refuse(fake, MODE) ? !mode : mode;
	return 0;
}

static int fake_running(void *arg, enum dav2m_mode *ret_mode)
{
	*ret_mode = ((struct fake *)arg)->mode;
	return 0;
}

static const struct dav2m_kvm_reload_vm vm = {fake_save, fake_close, fake_open, fake_restore};
static const struct dav2m_kvm_reload_modules modules = {fake_unload, fake_load, fake_running};

static struct dav2m_kvm_reload reload_of(struct fake *fake)
{
	struct dav2m_kvm_reload reload = {.vm = &vm,
					  .vm_arg = fake,
					  .modules = &modules,
					  .modules_arg = fake,
					  .mode = DAV2M_NESTED};

	fake->vm_open = fake->loaded = 1;
	fake->mode = DAV2M_NESTED;
	fake->memory = 0xfeed;
	return reload;
}

START_TEST(a_switch_and_back)
{
	struct fake fake = {.fail = 0};
	struct dav2m_kvm_reload reload = reload_of(&fake);

	ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), DAV2M_DONE);
	ck_assert_int_eq(fake.mode, DAV2M_SHADOW);
	ck_assert_int_eq(reload.mode, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), DAV2M_DONE);
	ck_assert_uint_eq(fake.saves, 1); /* it was there already */
	ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_NESTED), DAV2M_DONE);
	ck_assert_uint_eq(fake.restores, 2);
}
END_TEST

/* Refused once: the old mode runs again, the reason is told, the next attempt works. */
START_TEST(each_step_refused_leads_back)
{
	static const struct {
		enum step step;
		unsigned int times;
		enum dav2m_outcome outcome;
		const char *told;
	} cases[] = {
		{SAVE, 1, DAV2M_FAILED, "save the vCPUs"},
		{UNLOAD, 100, DAV2M_DEFERRED, "another VM is open"},
		{LOAD, 1, DAV2M_FAILED, "kernel's log"},
		{MODE, 1, DAV2M_FAILED, "does not offer"},
		{OPEN, 1, DAV2M_FAILED, "make the VM again"},
		{RESTORE, 1, DAV2M_FAILED, "restore the vCPUs"},
	};
	char text[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake fake = {.fail = cases[i].step, .fails = cases[i].times};
		struct dav2m_kvm_reload reload = reload_of(&fake);

		ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), cases[i].outcome);
		dav2m_kvm_fault_text(&reload.fault, text, sizeof(text));
		ck_assert_msg(strstr(text, cases[i].told) != NULL, "step %u: %s", cases[i].step,
			      text);
		ck_assert_int_eq(reload.mode, DAV2M_NESTED);
		ck_assert_int_eq(reload.stopped, 0);
		ck_assert(fake.vm_open && fake.mode == DAV2M_NESTED);
		ck_assert_uint_eq(fake.restores, cases[i].step == SAVE ? 0 : 1);
		ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), DAV2M_DONE);
	}
}
END_TEST

/* Refused both ways: stopped, nothing open, memory untouched; resumed when it is mended. */
START_TEST(a_way_back_that_is_refused_too_stops_the_vm)
{
	static const enum step steps[] = {LOAD, MODE, OPEN, RESTORE};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct fake fake = {.fail = steps[i], .fails = 2};
		struct dav2m_kvm_reload reload = reload_of(&fake);

		ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), DAV2M_FAILED);
		ck_assert_int_eq(reload.stopped, 1);
		ck_assert_int_eq(fake.vm_open, 0);
		ck_assert_uint_eq(fake.memory, 0xfeed);
		ck_assert_ptr_nonnull(reload.fault.what);
		ck_assert_int_eq(dav2m_kvm_reload_switch(&reload, DAV2M_SHADOW), DAV2M_FAILED);
		ck_assert_int_eq(dav2m_kvm_reload_resume(&reload), 0);
		ck_assert_int_eq(reload.stopped, 0);
		ck_assert(fake.vm_open);
		ck_assert_uint_eq(fake.saves, 1);
	}
}
END_TEST

/* A VMM with a switch of its own: what it answers, what it runs, how often it was asked. */
struct user {
	enum dav2m_outcome answer;
	enum dav2m_mode running;
	unsigned int times;
};

static enum dav2m_outcome user_switch(void *arg, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct user *user = arg;

	if (user->answer == DAV2M_DONE)
		user->running = to;
	user->times++;
	*ret_cycles += SWITCH_CYCLES;
	return user->answer;
}

static int one_unit_more(void *arg, struct dav2m_sample *sample)
{
	uint64_t *count = arg;

	*count += 1000;
	sample->value[DAV2M_PROGRESS] = sample->value[DAV2M_CYCLES] = *count;
	sample->valid = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);
	return 0;
}

struct user_rig {
	struct user user;
	uint64_t count;
	struct dav2m_kvm_vcpu vcpu;
	struct dav2m_kvm_drive drive;
	struct dav2m controller;
};

/* A controller that runs shadow paging and is told to leave it. */
static void user_rig_start(struct user_rig *rig, enum dav2m_outcome answer)
{
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_config config = {.size = sizeof(config)};

	memset(rig, 0, sizeof(*rig));
	rig->user.answer = answer;
	setup.hardware = 0;
	setup.own = one_unit_more;
	setup.arg = &rig->count;
	ck_assert_int_eq(dav2m_kvm_vcpu_open(&rig->vcpu, &setup, NULL), 0);
	rig->drive.vcpu = &rig->vcpu;
	rig->drive.vcpus = 1;
	rig->drive.mechanism = DAV2M_KVM_USER;
	rig->drive.user = user_switch;
	rig->drive.user_arg = &rig->user;
	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config), 0);
	config.window_inst = 1000;
	ck_assert_int_eq(dav2m_init(&rig->controller, &config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_pin(&rig->controller, DAV2M_PIN_NESTED), 0);
}

static enum dav2m_mode drive_on(struct user_rig *rig, unsigned int samples)
{
	struct dav2m_decision decision;

	while (samples--)
		ck_assert_int_eq(
			dav2m_drive(&rig->controller, &dav2m_kvm_backend, &rig->drive, &decision),
			0);
	return rig->user.running;
}

START_TEST(a_user_switches_once)
{
	struct user_rig rig;

	user_rig_start(&rig, DAV2M_DONE);
	ck_assert_int_eq(drive_on(&rig, SAMPLES), DAV2M_NESTED);
	ck_assert_uint_eq(rig.user.times, 1);
	ck_assert_int_eq(dav2m_pin(&rig.controller, DAV2M_PIN_SHADOW), 0);
	ck_assert_int_eq(drive_on(&rig, SAMPLES), DAV2M_SHADOW);
	ck_assert_uint_eq(rig.user.times, 2);
	dav2m_kvm_vcpu_close(&rig.vcpu);
}
END_TEST

/* Deferred: asked again at the next tick. Failed: asked again, but less and less often. */
START_TEST(a_user_who_refuses_is_asked_again)
{
	struct user_rig deferred, failed;

	user_rig_start(&deferred, DAV2M_DEFERRED);
	ck_assert_int_eq(drive_on(&deferred, SAMPLES), DAV2M_SHADOW);
	user_rig_start(&failed, DAV2M_FAILED);
	ck_assert_int_eq(drive_on(&failed, SAMPLES), DAV2M_SHADOW);
	ck_assert_uint_ge(deferred.user.times, SAMPLES / 2);
	ck_assert_uint_ge(failed.user.times, 2);
	ck_assert_uint_lt(failed.user.times, SAMPLES / 2);

	deferred.user.answer = failed.user.answer = DAV2M_DONE;
	ck_assert_int_eq(drive_on(&deferred, 2), DAV2M_NESTED);
	ck_assert_int_eq(drive_on(&failed, SAMPLES), DAV2M_NESTED);
	dav2m_kvm_vcpu_close(&deferred.vcpu);
	dav2m_kvm_vcpu_close(&failed.vcpu);
}
END_TEST

/* And one that has forgotten the callback runs on as it is. */
START_TEST(no_user_is_a_refusal)
{
	struct user_rig rig;

	user_rig_start(&rig, DAV2M_DONE);
	rig.drive.user = NULL;
	drive_on(&rig, SAMPLES);
	rig.drive.user = user_switch;
	ck_assert_int_eq(drive_on(&rig, SAMPLES), DAV2M_NESTED);
	ck_assert_uint_eq(rig.user.times, 1);
	dav2m_kvm_vcpu_close(&rig.vcpu);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_switch_and_back,
				      each_step_refused_leads_back,
				      a_way_back_that_is_refused_too_stops_the_vm,
				      a_user_switches_once,
				      a_user_who_refuses_is_asked_again,
				      no_user_is_a_refusal};

	return support_run("kvm-reload", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
