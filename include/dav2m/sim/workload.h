/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Built-in workloads: reference streams made on the fly, the same for the same seed.
 */
#ifndef DAV2M_SIM_WORKLOAD_H
#define DAV2M_SIM_WORKLOAD_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dav2m_sim_workload {
	const char *name;
	const char *about;    /* one line */
	const char *source;   /* what it stands for */
	uint64_t window_inst; /* tick length that suits it: longer than a switch's transient */
	/* Of what it works on, as its about says: the usual one and its range; 0: it has none. */
	uint32_t size;
	uint32_t size_min;
	uint32_t size_max;
};

/* The i-th workload, or NULL past the last. */
DAV2M_API const struct dav2m_sim_workload *dav2m_sim_workload(size_t index);
/* By name, or NULL. */
DAV2M_API const struct dav2m_sim_workload *dav2m_sim_workload_find(const char *name);

struct dav2m_sim_source;

/* Fewest words that dav2m_sim_source_read() needs room for. */
#define DAV2M_SIM_SOURCE_ROOM 1024

/*
 * Starts a workload. scale_bp stretches its length: 10000 is its usual one; [1, 10^8].
 * Answers NULL if there is no memory or scale_bp is out of range.
 */
DAV2M_API struct dav2m_sim_source *dav2m_sim_source_new(const struct dav2m_sim_workload *workload,
							uint64_t seed, uint32_t scale_bp);
/*
 * Before the first read: the source feeds one of several vCPUs of a guest, index in [0, 63], and
 * uses process numbers of its own. Errors: -1 when it is out of range.
 */
DAV2M_API int dav2m_sim_source_instance(struct dav2m_sim_source *source, uint32_t index);
/* Sets the size before the first read. -1: it has none, or out of its range, or too late. */
DAV2M_API int dav2m_sim_source_size(struct dav2m_sim_source *source, uint32_t size);
DAV2M_API void dav2m_sim_source_free(struct dav2m_sim_source *source);

/* The next words, at most room, whole events only; 0 at the end. */
DAV2M_API size_t dav2m_sim_source_read(struct dav2m_sim_source *source, uint64_t *words,
				       size_t room);
/* Steps done and steps in all. A step is a piece of work of the workload's own size. */
DAV2M_API uint64_t dav2m_sim_source_done(const struct dav2m_sim_source *source);
DAV2M_API uint64_t dav2m_sim_source_total(const struct dav2m_sim_source *source);

#ifdef __cplusplus
}
#endif

#endif
