/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of batches between producer and consumers.
 */
#include "sim_fanout.h"

#include <pthread.h>
#include <stdlib.h>

/* Enough for the producer to run ahead of a consumer that meets an expensive stretch; few, because
   after ctrl-C all that was put is consumed still: forks are a second's work in eight of 65536. */
#define BATCHES 4

struct batch {
	uint64_t word[FANOUT_BATCH];
	size_t words;
};

struct consumer {
	struct fanout *fanout;
	size_t index;
	pthread_t thread;
	uint64_t taken; /* batches done with; UINT64_MAX: wants no more */
};

struct fanout {
	pthread_mutex_t lock;
	pthread_cond_t moved; /* a batch was put or done with */
	fanout_consume *consume;
	void *context;
	uint64_t put; /* batches handed over */
	int ended;
	size_t consumers;
	struct consumer *consumer;
	struct batch batch[BATCHES];
};

/* Waits for the consumer's next batch; NULL at the end. */
static const struct batch *batch_wait(struct consumer *consumer)
{
	struct fanout *fanout = consumer->fanout;
	const struct batch *batch = NULL;

	pthread_mutex_lock(&fanout->lock);
	while (consumer->taken == fanout->put && !fanout->ended)
		pthread_cond_wait(&fanout->moved, &fanout->lock);
	if (consumer->taken < fanout->put)
		batch = &fanout->batch[consumer->taken % BATCHES];
	pthread_mutex_unlock(&fanout->lock);
	return batch;
}

static void batch_done(struct consumer *consumer, int stop)
{
	struct fanout *fanout = consumer->fanout;

	pthread_mutex_lock(&fanout->lock);
	consumer->taken = stop ? UINT64_MAX : consumer->taken + 1;
	pthread_cond_broadcast(&fanout->moved);
	pthread_mutex_unlock(&fanout->lock);
}

static void *consumer_run(void *argument)
{
	struct consumer *consumer = argument;
	struct fanout *fanout = consumer->fanout;
	const struct batch *batch;
	int stop = 0;

	while (!stop && (batch = batch_wait(consumer)) != NULL) {
		stop = fanout->consume(fanout->context, consumer->index, batch->word, batch->words);
		batch_done(consumer, stop);
	}
	return NULL;
}

static void threads_join(struct fanout *fanout, size_t n)
{
	size_t i;

	pthread_mutex_lock(&fanout->lock);
	fanout->ended = 1;
	pthread_cond_broadcast(&fanout->moved);
	pthread_mutex_unlock(&fanout->lock);
	for (i = 0; i < n; i++)
		pthread_join(fanout->consumer[i].thread, NULL);
	pthread_cond_destroy(&fanout->moved);
	pthread_mutex_destroy(&fanout->lock);
	free(fanout->consumer);
	free(fanout);
}

struct fanout *fanout_begin(size_t n, fanout_consume *consume, void *context)
{
	struct fanout *fanout = calloc(1, sizeof(*fanout));
	struct consumer *consumer = calloc(n, sizeof(*consumer));
	size_t i;

	if (!fanout || !consumer) {
		free(fanout);
		free(consumer);
		return NULL;
	}
	fanout->consume = consume;
	fanout->context = context;
	fanout->consumers = n;
	fanout->consumer = consumer;
	pthread_mutex_init(&fanout->lock, NULL);
	pthread_cond_init(&fanout->moved, NULL);
	for (i = 0; i < n; i++) {
		consumer[i].fanout = fanout;
		consumer[i].index = i;
		if (pthread_create(&consumer[i].thread, NULL, consumer_run, &consumer[i])) {
			threads_join(fanout, i);
			return NULL;
		}
	}
	return fanout;
}

/* The batch that the slowest consumer has reached; UINT64_MAX when none is left. */
static uint64_t slowest(const struct fanout *fanout)
{
	uint64_t least = UINT64_MAX;
	size_t i;

	for (i = 0; i < fanout->consumers; i++)
		if (fanout->consumer[i].taken < least)
			least = fanout->consumer[i].taken;
	return least;
}

uint64_t *fanout_batch(struct fanout *fanout)
{
	uint64_t least;

	pthread_mutex_lock(&fanout->lock);
	while (least = slowest(fanout), least != UINT64_MAX && fanout->put - least >= BATCHES)
		pthread_cond_wait(&fanout->moved, &fanout->lock);
	pthread_mutex_unlock(&fanout->lock);
	return least == UINT64_MAX ? NULL : fanout->batch[fanout->put % BATCHES].word;
}

void fanout_put(struct fanout *fanout, size_t words)
{
	pthread_mutex_lock(&fanout->lock);
	fanout->batch[fanout->put % BATCHES].words = words;
	fanout->put++;
	pthread_cond_broadcast(&fanout->moved);
	pthread_mutex_unlock(&fanout->lock);
}

void fanout_end(struct fanout *fanout)
{
	if (fanout)
		threads_join(fanout, fanout->consumers);
}
