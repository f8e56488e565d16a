/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces and workloads as one stream of words. Must not know what is done with them.
 */
#include "sim_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Process that the first trace runs as; 0 is the guest's kernel's own. */
#define FIRST_PID 1

struct feed {
	struct dav2m_sim_source *source; /* NULL: traces */
	char **path;
	size_t paths;
	enum trace_format format;
	size_t at;		   /* trace under way, or the next one */
	struct trace_input *input; /* NULL: between traces */
	int named;		   /* the trace under way is in program */
	char program[DAV2M_SIM_TRACE_TEXT];
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

int feed_open_traces(char **paths, size_t n, enum trace_format format, struct feed **ret_feed,
		     struct dav2m_host_error *error)
{
	int rc = feed_new(ret_feed, error);

	if (rc)
		return rc;
	(*ret_feed)->path = paths;
	(*ret_feed)->paths = n;
	(*ret_feed)->format = format;
	return 0;
}

int feed_open_workload(const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
		       uint32_t size, struct feed **ret_feed, struct dav2m_host_error *error)
{
	int rc = feed_new(ret_feed, error);

	if (rc)
		return rc;
	snprintf((*ret_feed)->program, sizeof((*ret_feed)->program), "%s", workload->name);
	(*ret_feed)->source = dav2m_sim_source_new(workload, seed, scale_bp);
	if ((*ret_feed)->source && (!size || !dav2m_sim_source_size((*ret_feed)->source, size)))
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

/* Makes the process of a trace that tells of none. */
static int trace_begin(struct feed *feed, uint64_t *words, size_t *ret_words,
		       struct dav2m_host_error *error)
{
	int rc = trace_input_open(feed->path[feed->at], feed->format, &feed->input, error);

	if (!rc && !trace_input_has_processes(feed->input))
		*ret_words = event_put(words, DAV2M_SIM_SWITCH, FIRST_PID + feed->at);
	return rc;
}

static void trace_end(struct feed *feed, uint64_t *words, size_t *ret_words)
{
	if (!trace_input_has_processes(feed->input))
		*ret_words = event_put(words, DAV2M_SIM_EXIT_PROCESS, 0);
	trace_input_close(feed->input);
	feed->input = NULL;
	feed->named = 0;
	feed->at++;
}

/* A trace of our own knows what ran, others have the name of their file. */
static void trace_name(struct feed *feed)
{
	const struct dav2m_sim_trace_header *header = trace_input_header(feed->input);
	const int said = header && header->program[0];
	const size_t size = strlen(feed->program);

	snprintf(feed->program + size, sizeof(feed->program) - size, "%s%s", size ? "; " : "",
		 said ? header->program : trace_input_name(feed->input));
	feed->named = 1;
}

static int trace_next(struct feed *feed, uint64_t *words, size_t room, size_t *ret_words,
		      struct dav2m_host_error *error)
{
	int rc = 0;

	*ret_words = 0;
	while (*ret_words == 0 && !rc && (feed->input || feed->at < feed->paths)) {
		if (!feed->input) {
			rc = trace_begin(feed, words, ret_words, error);
			continue;
		}
		rc = trace_input_next(feed->input, words, room, ret_words, error);
		if (!rc && !feed->named)
			trace_name(feed);
		if (!rc && *ret_words == 0)
			trace_end(feed, words, ret_words);
	}
	return rc;
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
	trace_input_close(feed->input);
	dav2m_sim_source_free(feed->source);
	free(feed);
}

const char *feed_program(const struct feed *feed)
{
	return feed->program;
}

uint64_t feed_total(const struct feed *feed)
{
	if (feed->source)
		return dav2m_sim_source_total(feed->source);
	return feed->paths == 1 && feed->input ? trace_input_size(feed->input) : 0;
}

uint64_t feed_done(const struct feed *feed)
{
	if (feed->source)
		return dav2m_sim_source_done(feed->source);
	return feed->input ? trace_input_position(feed->input) : 0;
}

const char *feed_unit(const struct feed *feed)
{
	return feed->source ? "steps" : "B";
}
