/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One producer of words, several consumers, each on a thread of its own, a bounded number of
 * batches between them. Every consumer sees every batch, in order.
 */
#ifndef DAV2M_TOOLS_SIM_FANOUT_H
#define DAV2M_TOOLS_SIM_FANOUT_H

#include <stddef.h>
#include <stdint.h>

/* Words in a batch: a quarter of a megabyte, so that a hand-over costs nothing beside the work. */
#define FANOUT_BATCH 32768

struct fanout;

/* Called on consumer index's thread with each batch; an answer other than 0 ends its part. */
typedef int fanout_consume(void *context, size_t index, const uint64_t *words, size_t n);

/* Starts n threads. NULL: no memory, or no threads. */
struct fanout *fanout_begin(size_t n, fanout_consume *consume, void *context);
/* A batch to fill, waiting for one to be free; NULL when no consumer is left. */
uint64_t *fanout_batch(struct fanout *fanout);
/* Hands the batch over. */
void fanout_put(struct fanout *fanout, size_t words);
/* Waits until all is consumed, ends the threads and frees everything. */
void fanout_end(struct fanout *fanout);

#endif
