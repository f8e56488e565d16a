/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch by reloading: each step refused once, with a VM and modules that only keep count.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

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

int main(void)
{
	const TTest *const tests[] = {a_switch_and_back, each_step_refused_leads_back,
				      a_way_back_that_is_refused_too_stops_the_vm};

	return support_run("kvm-reload", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
