/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces and workloads as one stream of words. Must not know what is done with them.
 */
#include "sim_feed.h"

#include "input.h"

#include <dav2m/sim/lackey.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Process that the first trace runs as; 0 is the guest's kernel's own. */
#define FIRST_PID 1

struct feed {
	struct dav2m_sim_source *source; /* NULL: traces */
	char **path;
	size_t paths;
	size_t at;	     /* trace under way, or the next one */
	struct input *input; /* NULL: between traces */
	struct dav2m_sim_lackey lackey;
	const char *text; /* not parsed yet */
	size_t size;
};

static int fail(struct dav2m_host_error *error, int code, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	return code;
}

static int feed_new(struct feed **ret_feed, struct dav2m_host_error *error)
{
	*ret_feed = calloc(1, sizeof(**ret_feed));
	return *ret_feed ? 0 : fail(error, DAV2M_HOST_MEMORY, "out of memory");
}

int feed_open_traces(char **paths, size_t n, struct feed **ret_feed, struct dav2m_host_error *error)
{
	int rc = feed_new(ret_feed, error);

	if (rc)
		return rc;
	(*ret_feed)->path = paths;
	(*ret_feed)->paths = n;
	return 0;
}

int feed_open_workload(const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
		       struct feed **ret_feed, struct dav2m_host_error *error)
{
	int rc = feed_new(ret_feed, error);

	if (rc)
		return rc;
	(*ret_feed)->source = dav2m_sim_source_new(workload, seed, scale_bp);
	if ((*ret_feed)->source)
		return 0;
	feed_close(*ret_feed);
	return fail(error, DAV2M_HOST_MEMORY, "out of memory");
}

static size_t event_put(uint64_t *words, enum dav2m_sim_event event, uint64_t argument)
{
	const uint32_t n = dav2m_sim_event_arguments(event);

	words[0] = dav2m_sim_event_word(event, n);
	words[1] = argument;
	return 1 + n;
}

static int trace_begin(struct feed *feed, uint64_t *words, size_t *ret_words,
		       struct dav2m_host_error *error)
{
	int rc = input_open(feed->path[feed->at], &feed->input, error);

	if (rc)
		return rc;
	dav2m_sim_lackey_init(&feed->lackey);
	feed->size = 0;
	*ret_words = event_put(words, DAV2M_SIM_SWITCH, FIRST_PID + feed->at);
	return 0;
}

static int text_wrong(const struct feed *feed, struct dav2m_host_error *error)
{
	snprintf(error->text, sizeof(error->text), "%s:%" PRIu64 ":%" PRIu32 ": %s",
		 input_name(feed->input), feed->lackey.line, feed->lackey.column,
		 feed->lackey.rule);
	return DAV2M_HOST_FORMAT;
}

static int trace_end(struct feed *feed, uint64_t *words, size_t room, size_t *ret_words,
		     struct dav2m_host_error *error)
{
	if (dav2m_sim_lackey_end(&feed->lackey, words, room, ret_words))
		return text_wrong(feed, error);
	*ret_words += event_put(words + *ret_words, DAV2M_SIM_EXIT_PROCESS, 0);
	input_close(feed->input);
	feed->input = NULL;
	feed->at++;
	return 0;
}

static int trace_next(struct feed *feed, uint64_t *words, size_t room, size_t *ret_words,
		      struct dav2m_host_error *error)
{
	size_t used;
	int rc;

	*ret_words = 0;
	if (!feed->input)
		return feed->at < feed->paths ? trace_begin(feed, words, ret_words, error) : 0;
	while (*ret_words == 0) {
		if (feed->size == 0) {
			rc = input_next(feed->input, &feed->text, &feed->size, error);
			if (rc == 0)
				return trace_end(feed, words, room, ret_words, error);
			if (rc < 0)
				return rc;
		}
		if (dav2m_sim_lackey_feed(&feed->lackey, feed->text, feed->size, words, room, &used,
					  ret_words))
			return text_wrong(feed, error);
		feed->text += used;
		feed->size -= used;
	}
	return 0;
}

int feed_next(struct feed *feed, uint64_t *words, size_t room, size_t *ret_words,
	      struct dav2m_host_error *error)
{
	if (!feed->source)
		return trace_next(feed, words, room, ret_words, error);
	*ret_words = dav2m_sim_source_read(feed->source, words, room);
	return 0;
}

void feed_close(struct feed *feed)
{
	if (!feed)
		return;
	input_close(feed->input);
	dav2m_sim_source_free(feed->source);
	free(feed);
}

uint64_t feed_total(const struct feed *feed)
{
	if (feed->source)
		return dav2m_sim_source_total(feed->source);
	return feed->paths == 1 && feed->input ? input_size(feed->input) : 0;
}

uint64_t feed_done(const struct feed *feed)
{
	if (feed->source)
		return dav2m_sim_source_done(feed->source);
	return feed->input ? input_position(feed->input) : 0;
}

const char *feed_unit(const struct feed *feed)
{
	return feed->source ? "steps" : "B";
}
