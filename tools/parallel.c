/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread per processor takes the next job; the caller's thread draws the progress line.
 */
#define _POSIX_C_SOURCE 200809L

#include "parallel.h"

#include "fail.h"
#include "progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_NS 200000000L

struct pool {
	const struct parallel *parallel;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a thread */
	size_t next;	      /* job to begin */
	size_t running;	      /* threads */
	int rc;
	struct dav2m_host_error *error;
};

static int job_take(struct pool *pool, size_t *ret_index)
{
	int any;

	pthread_mutex_lock(&pool->lock);
	any = !pool->rc && pool->next < pool->parallel->jobs;
	if (any)
		*ret_index = pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return any;
}

static void job_failed(struct pool *pool, int rc, const struct dav2m_host_error *error)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool->rc) {
		pool->rc = rc;
		*pool->error = *error;
	}
	pthread_mutex_unlock(&pool->lock);
}

static void *work(void *context)
{
	struct pool *pool = context;
	struct dav2m_host_error error;
	size_t index;
	int rc;

	while (job_take(pool, &index)) {
		rc = pool->parallel->job(pool->parallel->context, index, &error);
		if (rc)
			job_failed(pool, rc, &error);
	}
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static struct timespec soon(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += REDRAW_NS;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

static void wait_all(struct pool *pool)
{
	struct timespec until;

	progress_begin(pool->parallel->what, pool->parallel->unit, pool->parallel->total);
	pthread_mutex_lock(&pool->lock);
	while (pool->running) {
		until = soon();
		pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
		progress_step(atomic_load(pool->parallel->done));
	}
	pthread_mutex_unlock(&pool->lock);
	progress_end();
}

static size_t threads_wanted(size_t jobs)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors > 0 ? (size_t)processors : 1;

	return threads < jobs ? threads : jobs;
}

int parallel_do(const struct parallel *parallel, struct dav2m_host_error *error)
{
	struct pool pool = {.parallel = parallel, .error = error};
	size_t threads = threads_wanted(parallel->jobs), started, i;
	pthread_t *thread = calloc(threads + 1, sizeof(*thread));

	if (!thread)
		return tool_fail_memory(error);
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.ended, NULL);
	pool.running = threads;
	for (started = 0; started < threads; started++)
		if (pthread_create(&thread[started], NULL, work, &pool))
			break;
	pthread_mutex_lock(&pool.lock);
	pool.running -= threads - started;
	pthread_mutex_unlock(&pool.lock);
	wait_all(&pool);
	for (i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	pthread_cond_destroy(&pool.ended);
	pthread_mutex_destroy(&pool.lock);
	return threads && !started ? tool_fail_memory(error) : pool.rc;
}
