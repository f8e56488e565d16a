/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The convenience call for a VMM that prefers callbacks: sample, decide, switch, acknowledge.
 */
#ifndef DAV2M_BACKEND_H
#define DAV2M_BACKEND_H

#include <dav2m/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a VMM supplies. vm is the pointer given to dav2m_drive(), never looked at. The callbacks may
 * pin, retune and explain the controller; sampling, acknowledging and driving it are
 * dav2m_drive()'s.
 */
struct dav2m_backend {
	/*
	 * Reads the raw counters as they stand now into ret_sample, which comes with valid == 0,
	 * and sets a valid bit for each counter it has. Called once per dav2m_drive(), on the
	 * caller's thread. Answers 0, or anything else if it could not read: nothing is decided
	 * then.
	 */
	int (*read_counters)(void *vm, struct dav2m_sample *ret_sample);
	/*
	 * Brings the hardware into the given mode before the guest runs again, and adds to
	 * *ret_cycles (which comes with 0) what that cost in DAV2M_CYCLES. With any answer but
	 * DONE the old mode must be in force, whole. Called at most once per dav2m_drive().
	 * NULL: advise only; every switch asked for is acknowledged as deferred.
	 */
	enum dav2m_outcome (*switch_mode)(void *vm, enum dav2m_mode to, uint64_t *ret_cycles);
	/* Sees each decision with its reason, before any switch, which it can still withdraw by a
	   pin. May be NULL. */
	void (*trace)(void *vm, const struct dav2m_decision *decision);
};

/*
 * One sampling point. ret_decision may be NULL; otherwise it gets the decision that trace sees.
 * A switch that an earlier call asked for and nobody acknowledged is carried out now.
 * Errors: NULL, UNINIT, SAMPLE, BACKEND (read_counters failed), RANGE (switch_mode answered
 * something outside enum dav2m_outcome; it counts as FAILED, and the decision is told).
 */
DAV2M_API int dav2m_drive(struct dav2m *ctl, const struct dav2m_backend *backend, void *vm,
			  struct dav2m_decision *ret_decision);

#ifdef __cplusplus
}
#endif

#endif
