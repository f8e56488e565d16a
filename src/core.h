/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the core share, and nobody outside sees: the state table, the interface of a
 * judge, the meter, and the arithmetic that needs more than 64 bits.
 *
 * Who does what:
 *   meter.c       raw counters -> totals whose differences can be believed
 *   controller.c  totals -> windows and ticks -> a verdict -> an edge -> a decision
 *   threshold.c   a judge: when to leave a mode, whether a probe was worth it
 *   regret*.c     another one, with a bound; see regret.h
 *   edges.c       the state machine as a table
 */
#ifndef DAV2M_CORE_H
#define DAV2M_CORE_H

#include <dav2m/controller.h>

#define DAV2M_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What few samples come to is kept out of line, so that the registers it needs are not saved and
   restored by every sample. In Linux noinline is a macro. */
#define DAV2M_RARE __attribute__((__cold__, __noinline__))

/* "d2m" and the layout's revision: tells an initialised controller from garbage. */
#define DAV2M_MAGIC UINT32_C(0x64326d01)

/* What a guard says about the state it is in; the columns of the state table. */
enum dav2m_verdict {
	VERDICT_HOLD = 0, /* go on */
	VERDICT_ROLL,	  /* a window is complete and nothing was crossed */
	VERDICT_LEAVE,	  /* this mode looks bad: probe the other one */
	VERDICT_KEEP,	  /* the probe is over, and the probed mode stays */
	VERDICT_REJECT,	  /* the probe is over, and the other mode was better */
	VERDICT_ABORT,	  /* shadow probe over the exit threshold, as the paper prints it */
	VERDICT_GIVE_UP,  /* shadow probe over the exit threshold and worse: end it early */
	VERDICT_QUIESCED, /* the transient after a kept probe is over */
	VERDICT_BLIND,	  /* window complete, but a counter needed to judge it is missing */
	VERDICT_PIN	  /* the caller allows the other mode only */
};
#define DAV2M_VERDICTS 10

/* What an edge teaches the judge. */
enum dav2m_lesson {
	LESSON_NONE = 0,
	LESSON_NESTED_LOST,
	LESSON_NESTED_WON,
	LESSON_SHADOW_LOST,
	LESSON_SHADOW_WON
};

struct dav2m_edge {
	uint8_t to;	/* enum dav2m_state */
	uint8_t number; /* in the paper's order, see docs/policy.md; 0: none of the paper's edges */
	uint8_t reason; /* enum dav2m_reason */
	uint8_t lesson; /* enum dav2m_lesson */
};

/* Cells with number 0 and reason WAITING stay; but for HOLD no guard ever asks for them. A row is
   longer than it need be, so that a cell is found by shifting. */
extern const struct dav2m_edge dav2m_edges[DAV2M_STATES][16];

/*
 * A judge decides when to leave a mode and whether a probe was worth it; everything else (the
 * states, windows, acknowledgements, pinning, back-off) is the controller's. Called with the
 * windows of the current state up to date.
 */
struct dav2m_judge {
	/* The counters it can use, DAV2M_BIT of each: the controller reads no others, so that one
	   which nobody judges by may come and go. */
	uint32_t wanted;
	/* Takes its parameters from ctl->config. */
	void (*reset)(struct dav2m *ctl);
	/* The window begins anew, for another reason than ROLL: what it held is void. */
	void (*begin)(struct dav2m *ctl);
	/* What to make of the window, by state: HOLD, ROLL or BLIND in all; LEAVE in Shadow and
	   Nested; KEEP or REJECT, and in PreShadow ABORT or GIVE_UP, in the probing states;
	   QUIESCED in Prepaging. */
	enum dav2m_verdict (*guard[DAV2M_STATES])(struct dav2m *ctl);
	/* The same while the transient after a switch lasts: HOLD, or what ends a probe early. */
	enum dav2m_verdict (*transient)(struct dav2m *ctl);
	/* An edge was taken. */
	void (*learn)(struct dav2m *ctl, enum dav2m_lesson lesson);
	/* The hardware has changed to the given mode; ctl->switched_at is still the last one. */
	void (*switched)(struct dav2m *ctl, enum dav2m_mode to);
	/* window_trans ticks without a switch. */
	void (*calm)(struct dav2m *ctl);
	/* Paging exits in an exit window beyond which shadow paging is worth judging at once. */
	uint32_t (*exits_limit)(const struct dav2m *ctl);
	/* Adds what it has learned to an explanation. */
	void (*explain)(const struct dav2m *ctl, struct dav2m_explanation *out);
};

extern const struct dav2m_judge dav2m_threshold_judge;
extern const struct dav2m_judge dav2m_regret_judge;

/* The judge in charge; its state is that member of ctl->judge. */
static inline const struct dav2m_judge *dav2m_judge_of(const struct dav2m *ctl)
{
	return ctl->config.judge ? &dav2m_regret_judge : &dav2m_threshold_judge;
}

/* How a sample was read. */
enum dav2m_reading {
	READING_OK = 0,
	READING_BASELINE,
	READING_INCOMPLETE,
	READING_LOST,
	READING_BACKWARD,
	READING_JUMP
};

void dav2m_meter_init(struct dav2m_meter *meter, uint8_t counter_bits);

/* Begins anew with the next sample; what it has counted of wraps and resets stays. */
void dav2m_meter_rebase(struct dav2m_meter *meter, uint8_t counter_bits);

/* Goes on with the counters that are wanted, DAV2M_BIT of each. */
void dav2m_meter_keep(struct dav2m_meter *meter, uint32_t wanted);

/* Wrap-arounds followed since dav2m_meter_init(). */
uint32_t dav2m_meter_wraps(const struct dav2m_meter *meter);

/*
 * Reads the counters of a sample that are wanted and valid (DAV2M_BIT each). With READING_OK the
 * total of each counter in meter->known has gone on, or is held while the counter stands a little
 * below it; the others stand still. With READING_INCOMPLETE the meter still waits from where it
 * was; with all others it starts again from this sample, and no total can be compared with an
 * earlier one.
 */
enum dav2m_reading dav2m_meter_read(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				    uint32_t wanted);

/* By how much a counter has gone on since the last sample, if that can be believed. */
static inline uint64_t dav2m_meter_step(const struct dav2m_meter *meter,
					const struct dav2m_sample *sample, unsigned int c)
{
	return (sample->value[c] - meter->total[c]) & meter->mask;
}

/* The meter follows what the paper's VMM had, with or without the exits. */
static inline int dav2m_meter_usual(const struct dav2m_meter *meter)
{
	const uint32_t exits = DAV2M_BIT(DAV2M_PAGING_EXITS);

	return (meter->known | exits) == (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) |
					  DAV2M_BIT(DAV2M_TLB_MISSES) | exits);
}

/*
 * A short dav2m_meter_read() for a meter that follows the usual counters. Answers 0, and has
 * changed nothing, if something is wrong with the sample.
 */
static inline int dav2m_meter_read_usual(struct dav2m_meter *meter,
					 const struct dav2m_sample *sample, uint32_t wanted)
{
	uint64_t progress = dav2m_meter_step(meter, sample, DAV2M_PROGRESS);
	uint64_t cycles = dav2m_meter_step(meter, sample, DAV2M_CYCLES);
	uint64_t misses = dav2m_meter_step(meter, sample, DAV2M_TLB_MISSES);
	uint64_t exits;

	if ((sample->valid & wanted) != meter->known)
		return 0;
	/* One is too large when it has a bit beyond the largest's: one test for all. */
	if ((progress | cycles | misses) > meter->believed)
		return 0;
	if (meter->known & DAV2M_BIT(DAV2M_PAGING_EXITS)) {
		exits = dav2m_meter_step(meter, sample, DAV2M_PAGING_EXITS);
		if (exits > meter->believed)
			return 0;
		meter->total[DAV2M_PAGING_EXITS] += exits;
	}
	meter->total[DAV2M_PROGRESS] += progress;
	meter->total[DAV2M_CYCLES] += cycles;
	meter->total[DAV2M_TLB_MISSES] += misses;
	meter->gaps = 0;
	return 1;
}

/* One bit for each state that runs nested paging. */
static inline enum dav2m_mode dav2m_mode_of_state(unsigned int state)
{
	const unsigned int nested = 1u << DAV2M_STATE_PRENESTED | 1u << DAV2M_STATE_PREPAGING |
				    1u << DAV2M_STATE_NESTED;

	return (enum dav2m_mode)(nested >> state & 1);
}

static inline enum dav2m_mode dav2m_mode_of(const struct dav2m *ctl)
{
	return dav2m_mode_of_state(ctl->state);
}

/* a x b > c x d, for all values, in 128 bits and without a compiler's help. */
int dav2m_product_exceeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* a x b x factor > c x d x other_factor, for factors below 2^17 and all other values; shorter for
   those of every day. */
int dav2m_scaled_product_exceeds(uint64_t a, uint64_t b, uint32_t factor, uint64_t c, uint64_t d,
				 uint32_t other_factor);

/* The window of the current state. */
static inline uint64_t dav2m_window_progress(const struct dav2m *ctl)
{
	return ctl->meter.total[DAV2M_PROGRESS] - ctl->window_progress;
}

static inline uint64_t dav2m_window_cycles(const struct dav2m *ctl)
{
	return ctl->meter.total[DAV2M_CYCLES] - ctl->window_cycles;
}

static inline uint64_t dav2m_window_tlb_misses(const struct dav2m *ctl)
{
	return ctl->meter.total[DAV2M_TLB_MISSES] - ctl->window_tlb_misses;
}

static inline uint32_t dav2m_window_ticks(const struct dav2m *ctl)
{
	return ctl->tick - ctl->window_tick;
}

/* It holds enough work for a CPI: a quarter of a tick (docs/policy.md). */
static inline int dav2m_window_has_cpi(const struct dav2m *ctl)
{
	return dav2m_window_progress(ctl) * 4 >= ctl->config.window_inst &&
	       dav2m_window_cycles(ctl);
}

#endif
