/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DAV2M for Palacios: each core changes between shadow and nested paging while it runs.
 *
 * This file is the life of the extension: refusing what cannot be served, hooking into the VM,
 * finding the safe points, driving one controller per core, handing everything back. It must
 * not touch paging state itself; ext_dav2m_svm.c does.
 *
 * Palacios calls an extension at start and end only. The one callback on the way is the core's
 * timers: before each entry, after each exit, and again and again while the guest is halted.
 *
 *     before entry   num_exits as before      sample, decide, switch: the safe point
 *     after exit     num_exits has grown      count only: the exit is still to be handled, and a
 *                                             shadow fault met in nested mode ends the VM
 *     in a halt      exit code was HLT        nothing: inside the handling of an exit
 *
 * Paging exits come from the event callbacks, under Palacios' lock: they count, no more.
 *
 * Teardown: Palacios frees devices, then cores (and their timers), then event callbacks, then
 * extensions. A device with nothing but a free function hears of it in time to hand each core
 * back in the mode in which it was given; the parked roots go when the extension's cores do.
 *
 * No floating point: the guest's FPU registers are live.
 *
 * The idea: Bae, Lange, Dinda, "Enhancing Virtualized Application Performance Through Dynamic
 * Adaptive Paging Mode Selection", ICAC 2011.
 */
#include "ext_dav2m.h"

#include <palacios/vmm_dev_mgr.h>
#include <palacios/vmm_direct_paging.h>
#include <palacios/vmm_extensions.h>
#include <palacios/vmm_hypercall.h>
#include <palacios/vmm_shadow_paging.h>
#include <palacios/vmm_time.h>
#ifdef V3_CONFIG_CHECKPOINT
#include <palacios/vmm_checkpoint.h>
#endif

/* Free in Palacios' table of hypercalls. In: RBX, enum dav2m_pin. Out: RAX 0 or -1, RBX the
   enum dav2m_mode that runs now. */
#define FORCE_HCALL ((hcall_id_t)0xda20)

/* A tick is found out at most this share of a tick late: 1/8. */
#define SAMPLES_PER_TICK_SHIFT 3
/* Without a PMU each sample is a tick; one in 2^27 TSC cycles, about 50 ms at 2.7 GHz, is near
   the tick of the preset that a VM begins with. */
#define ADVICE_TSC_CYCLES      (1ull << 27)

static const char *const obstacle_text[EXT_DAV2M_OBSTACLES] = {
	"",
	"the guest is not in long mode with paging on",
	"a symbiotic call is under way",
	"memory tracking or a live checkpoint is active",
	"mode and VMCB of this core disagree (was a checkpoint loaded?)",
};

static void report_obstacle(struct ext_dav2m_core *c, enum ext_dav2m_obstacle obstacle)
{
	const uint8_t bit = (uint8_t)(1u << obstacle);

	if (c->told & bit)
		return;
	c->told |= bit;
	V3_Print(c->core->vm_info, c->core, "dav2m: no switch while %s\n", obstacle_text[obstacle]);
}

/* Callbacks for dav2m_drive(); vm is the core. */

/* With a PMU each paging exit has been counted as it came; without, their sum is all there is. */
static int read_counters(void *vm, struct dav2m_sample *ret_sample)
{
	const struct ext_dav2m_core *c = vm;
	const struct ext_dav2m_pmu *pmu = &c->pmu;

	if (!pmu->started) {
		ret_sample->value[DAV2M_PAGING_EXITS] = c->paging_exits;
		ret_sample->valid = DAV2M_BIT(DAV2M_PAGING_EXITS);
		return 0;
	}
	ret_sample->value[DAV2M_PROGRESS] = pmu->sum[EXT_DAV2M_INSTRUCTIONS];
	ret_sample->value[DAV2M_CYCLES] = pmu->sum[EXT_DAV2M_CYCLES];
	ret_sample->value[DAV2M_TLB_MISSES] = pmu->sum[EXT_DAV2M_TLB_MISSES];
	ret_sample->valid =
		DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES);
	return 0;
}

static enum dav2m_outcome switch_mode(void *vm, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct ext_dav2m_core *c = vm;
	const enum ext_dav2m_obstacle obstacle = ext_dav2m_svm_obstacle(c);
	const uint64_t before = c->pmu.sum[EXT_DAV2M_CYCLES];
	enum dav2m_outcome outcome;

	if (obstacle != EXT_DAV2M_CLEAR) {
		report_obstacle(c, obstacle);
		return DAV2M_DEFERRED;
	}
	outcome = ext_dav2m_svm_switch(c, to);
	ext_dav2m_pmu_sample(c);
	*ret_cycles += c->pmu.sum[EXT_DAV2M_CYCLES] - before;
	if (outcome == DAV2M_FAILED)
		PrintError(c->core->vm_info, c->core, "dav2m: switch to %s failed, %s stays\n",
			   dav2m_mode_name(to),
			   dav2m_mode_name(to == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW));
	return outcome;
}

/* Advice that is not taken is given at every tick: the same line is printed once. */
static void trace(void *vm, const struct dav2m_decision *decision)
{
	struct ext_dav2m_core *c = vm;

	if (decision->action != DAV2M_SWITCH && !(c->owner->settings.trace && decision->edge))
		return;
	if (decision->action == DAV2M_SWITCH && c->noted_state == decision->to &&
	    c->noted_reason == decision->reason)
		return;
	c->noted_state = (uint8_t)decision->to;
	c->noted_reason = (uint8_t)decision->reason;
	V3_Print(c->core->vm_info, c->core, "dav2m: tick %llu: %s %s -> %s (%s, edge %u)\n",
		 (ullong_t)decision->tick, dav2m_action_name(decision->action),
		 dav2m_state_name(decision->from), dav2m_state_name(decision->to),
		 dav2m_reason_name(decision->reason), decision->edge);
}

static const struct dav2m_backend acting = {read_counters, switch_mode, trace};
static const struct dav2m_backend advising = {read_counters, NULL, trace};

/* A forced mode needs no counters; a decision does. */
static const struct dav2m_backend *backend(const struct ext_dav2m_core *c)
{
	if (c->owner->settings.dry_run)
		return &advising;
	return c->pmu.started || c->pin != DAV2M_PIN_NONE ? &acting : &advising;
}

/* A forced mode does not run yet, and could. */
static int force_due(const struct ext_dav2m_core *c)
{
	return c->pin != DAV2M_PIN_NONE && c->pin != c->mode && !c->owner->settings.dry_run &&
	       ext_dav2m_svm_obstacle(c) == EXT_DAV2M_CLEAR;
}

static int sample_due(struct ext_dav2m_core *c)
{
	uint64_t now, interval;

	if (c->pmu.started) {
		now = c->pmu.sum[EXT_DAV2M_INSTRUCTIONS];
		interval = c->owner->settings.config.window_inst >> SAMPLES_PER_TICK_SHIFT;
	} else {
		now = v3_get_host_time(&c->core->time_state);
		interval = ADVICE_TSC_CYCLES;
	}
	if (!c->due && now - c->sampled_at < interval && !force_due(c))
		return 0;
	c->sampled_at = now;
	c->due = 0;
	return 1;
}

static void before_entry(struct ext_dav2m_core *c)
{
	/* A reset passes through here, and changes the memory map without announcing it. */
	if (v3_get_vm_mem_mode(c->core) == PHYSICAL_MEM)
		c->roots.stale = 1;
	ext_dav2m_pmu_start(c);
	if (sample_due(c)) {
		ext_dav2m_pmu_sample(c);
		dav2m_drive(&c->controller, backend(c), c, NULL);
	}
	ext_dav2m_pmu_before_entry(c);
}

static void after_exit(struct ext_dav2m_core *c)
{
	c->exits_seen = c->core->num_exits;
	c->halted = (uint8_t)ext_dav2m_svm_halted(c->core);
	ext_dav2m_pmu_after_exit(c);
}

static void on_timer(struct guest_info *core, ullong_t cpu_cycles, ullong_t cpu_freq, void *priv)
{
	struct ext_dav2m_core *c = priv;

	(void)cpu_cycles;
	(void)cpu_freq;
	if (c->retired)
		return;
	if (core->num_exits != c->exits_seen)
		after_exit(c);
	else if (c->halted)
		ext_dav2m_pmu_idle(c);
	else
		before_entry(c);
}

static struct v3_timer_ops timer_ops = {.update_timer = on_timer};

/* Paging events. The core may be one that Palacios has not initialised yet. */

static struct ext_dav2m_core *find_core(struct guest_info *core, void *priv)
{
	struct ext_dav2m *ext = priv;

	return core->vcpu_id < ext->cores ? &ext->core[core->vcpu_id] : NULL;
}

/* An invalidation means that the memory map changed; it may come from another core's thread. */
static int on_shadow_event(struct guest_info *core, struct v3_shdw_pg_event *event, void *priv)
{
	struct ext_dav2m_core *c = find_core(core, priv);

	if (!c || event->event_order != SHADOW_PREIMPL || c->switching)
		return 0;
	if (event->event_type == SHADOW_INVALIDATE) {
		c->roots.stale = 1;
	} else if (c->core) {
		c->paging_exits++;
		if (dav2m_paging_exits(&c->controller, 1))
			c->due = 1;
	}
	return 0;
}

static int on_passthrough_event(struct guest_info *core, struct v3_passthrough_pg_event *event,
				void *priv)
{
	struct ext_dav2m_core *c = find_core(core, priv);

	if (c && event->event_type == PASSTHROUGH_INVALIDATE_RANGE)
		c->roots.stale = 1;
	return 0;
}

static int on_nested_event(struct guest_info *core, struct v3_nested_pg_event *event, void *priv)
{
	struct ext_dav2m_core *c = find_core(core, priv);

	if (c && event->event_type == NESTED_INVALIDATE_RANGE)
		c->roots.stale = 1;
	return 0;
}

/* The guest's kernel asks for a mode: taken up at the next safe point. */
static int on_hypercall(struct guest_info *core, hcall_id_t id, void *priv)
{
	struct ext_dav2m_core *c = find_core(core, priv);
	const v3_reg_t pin = core->vm_regs.rbx;

	(void)id;
	core->vm_regs.rax = (v3_reg_t)-1;
	if (!c || !c->core || core->cpl || pin >= DAV2M_PINS)
		return 0;
	if (dav2m_pin(&c->controller, (enum dav2m_pin)pin))
		return 0;
	c->pin = (uint8_t)pin;
	core->vm_regs.rax = 0;
	core->vm_regs.rbx = c->mode;
	return 0;
}

/* Teardown. */

static void summarise_judge(const struct ext_dav2m_core *c, const struct dav2m_explanation *is)
{
	const struct dav2m_regret_view *regret = &is->regret;

	if (c->owner->settings.config.judge)
		V3_Print(c->core->vm_info, c->core,
			 "dav2m: core %u: cycles: regret %llu of %llu, a round trip %llu, finding "
			 "out %llu, lost in probes %llu, left for them %lld\n",
			 c->core->vcpu_id, (ullong_t)regret->regret_cycles,
			 (ullong_t)regret->limit_cycles, (ullong_t)regret->round_trip_cycles,
			 (ullong_t)regret->finding_out_cycles, (ullong_t)regret->probing_cycles,
			 (long long)regret->budget_cycles);
	else
		V3_Print(c->core->vm_info, c->core,
			 "dav2m: core %u: thresholds %u exits, %u misses\n", c->core->vcpu_id,
			 is->threshold_vmexit, is->threshold_tmiss);
}

static void summarise(const struct ext_dav2m_core *c)
{
	struct dav2m_explanation is;

	if (dav2m_explain(&c->controller, &is))
		return;
	V3_Print(c->core->vm_info, c->core,
		 "dav2m: core %u: %u switches to nested, %u to shadow, %u deferred, %u failed; "
		 "%u ticks in shadow, %u in nested; last %s\n",
		 c->core->vcpu_id, is.tally.switches[DAV2M_NESTED], is.tally.switches[DAV2M_SHADOW],
		 is.tally.deferred, is.tally.failed, is.mode_ticks[DAV2M_SHADOW],
		 is.mode_ticks[DAV2M_NESTED], dav2m_state_name(is.state));
	summarise_judge(c, &is);
}

static int on_device_free(void *priv)
{
	struct ext_dav2m *ext = priv;
	uint32_t i;

	for (i = 0; i < ext->cores; i++) {
		struct ext_dav2m_core *c = &ext->core[i];

		if (!c->core)
			continue;
		c->retired = 1;
		ext_dav2m_pmu_stop(c);
		summarise(c);
		ext_dav2m_svm_hand_back(c);
	}
	return 0;
}

#ifdef V3_CONFIG_CHECKPOINT
/* A checkpoint does not say in which mode a core ran, and is loaded into shadow paging. */
static int on_save(struct v3_chkpt *chkpt, char *id, void *priv)
{
	struct ext_dav2m *ext = priv;
	uint32_t i;

	(void)chkpt;
	(void)id;
	for (i = 0; i < ext->cores; i++) {
		if (ext->core[i].core && ext->core[i].core->shdw_pg_mode == NESTED_PAGING) {
			PrintError(ext->vm, VCORE_NONE,
				   "dav2m: no checkpoint while core %u runs nested paging: force "
				   "shadow paging first\n",
				   i);
			return -1;
		}
	}
	return 0;
}
#endif

static struct v3_device_ops device_ops = {
	.free = on_device_free,
#ifdef V3_CONFIG_CHECKPOINT
	.save_extended = on_save,
#endif
};

/* Start. */

/* The reason why this VM cannot be served, or NULL. */
static const char *refusal(struct v3_vm_info *vm)
{
	extern v3_cpu_arch_t v3_mach_type;
	int i;

	if (v3_mach_type != V3_SVM_REV3_CPU)
		return "needs AMD SVM with nested paging; VMX is not supported";
#ifdef V3_CONFIG_MULTIBOOT
	if (vm->mb_state.is_multiboot)
		return "a Multiboot guest needs nested paging from its start";
#endif
#ifdef V3_CONFIG_HVM
	if (vm->hvm_state.is_hvm)
		return "a hybrid VM (HVM) needs nested paging from its start";
#endif
	if (!vm->shdw_impl.current_impl)
		return "the VM must start in shadow paging: <paging mode=\"shadow\">";
	for (i = 0; i < vm->num_cores; i++)
		if (vm->cores[i].shdw_pg_mode != SHADOW_PAGING)
			return "every core must start in shadow paging: <paging mode=\"shadow\">";
#ifdef V3_CONFIG_MEM_TRACK
	if (vm->memtrack_state.started)
		return "memory tracking is active";
#endif
	return NULL;
}

static struct ext_dav2m *create(struct v3_vm_info *vm)
{
	const unsigned int size =
		(unsigned int)(sizeof(struct ext_dav2m) +
			       (unsigned int)vm->num_cores * sizeof(struct ext_dav2m_core));
	struct ext_dav2m *ext = V3_Malloc(size);

	if (!ext)
		return NULL;
	memset(ext, 0, size);
	ext->vm = vm;
	ext->cores = (uint32_t)vm->num_cores;
	return ext;
}

/* The device comes last: nothing can fail after it, and Palacios has no clean way to remove one. */
static int hook(struct v3_vm_info *vm, struct ext_dav2m *ext)
{
	if (v3_register_shadow_paging_event_callback(vm, on_shadow_event, ext))
		return -1;
	if (v3_register_passthrough_paging_event_callback(vm, on_passthrough_event, ext))
		goto no_passthrough;
	if (v3_register_nested_paging_event_callback(vm, on_nested_event, ext))
		goto no_nested;
	if (ext->settings.hypercall && v3_register_hypercall(vm, FORCE_HCALL, on_hypercall, ext))
		goto no_hypercall;
	if (v3_add_device(vm, "dav2m", &device_ops, ext))
		return 0;
	if (ext->settings.hypercall)
		v3_remove_hypercall(vm, FORCE_HCALL);
no_hypercall:
	v3_unregister_nested_paging_event_callback(vm, on_nested_event, ext);
no_nested:
	v3_unregister_passthrough_paging_event_callback(vm, on_passthrough_event, ext);
no_passthrough:
	v3_unregister_shadow_paging_event_callback(vm, on_shadow_event, ext);
	return -1;
}

static int vm_init(struct v3_vm_info *vm, v3_cfg_tree_t *cfg, void **ret_priv)
{
	const char *why = refusal(vm);
	struct ext_dav2m *ext;

	if (why) {
		PrintError(vm, VCORE_NONE, "dav2m: refused: %s\n", why);
		return -1;
	}
	ext = create(vm);
	if (!ext)
		return -1;
	if (ext_dav2m_config_read(vm, cfg, &ext->settings) || hook(vm, ext)) {
		V3_Free(ext);
		return -1;
	}
	*ret_priv = ext;
	return 0;
}

/*
 * On the configuration thread, and its answer is not looked at: a core without a timer runs as
 * if the extension were not there, and says so. core_data is neither used nor believed later:
 * where configuration fails half-way Palacios hands out what it never initialised.
 */
static int core_init(struct guest_info *core, void *priv, void **ret_core_data)
{
	struct ext_dav2m_core *c = find_core(core, priv);

	*ret_core_data = NULL;
	if (!c)
		return -1;
	c->owner = priv;
	c->exits_seen = core->num_exits;
	c->pin = c->owner->settings.force;
	if (dav2m_init(&c->controller, &c->owner->settings.config, DAV2M_SHADOW) ||
	    dav2m_pin(&c->controller, (enum dav2m_pin)c->pin) ||
	    !v3_add_timer(core, &timer_ops, c)) {
		PrintError(core->vm_info, core, "dav2m: this core stays in shadow paging\n");
		return -1;
	}
	c->core = core;
	return 0;
}

/* The core is gone already, and its timer with it: only what Palacios never knew is left. */
static int core_deinit(struct guest_info *core, void *priv, void *core_data)
{
	struct ext_dav2m_core *c = find_core(core, priv);

	(void)core_data;
	if (c)
		ext_dav2m_svm_free_parked(c);
	return 0;
}

/* The event callbacks are gone already, and their locks with them. */
static int vm_deinit(struct v3_vm_info *vm, void *priv)
{
	struct ext_dav2m *ext = priv;

	if (ext->settings.hypercall)
		v3_remove_hypercall(vm, FORCE_HCALL);
	V3_Free(ext);
	return 0;
}

static struct v3_extension_impl dav2m_impl = {
	.name = "dav2m",
	.vm_init = vm_init,
	.vm_deinit = vm_deinit,
	.core_init = core_init,
	.core_deinit = core_deinit,
};

register_extension(&dav2m_impl);
