/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the plugin tells `dav2m trace`: messages, each over a connection of its own to a socket in
 * the file system.
 *
 * A connection of its own, because the recorded program may close any descriptor that it finds
 * open; connections are accepted in the order in which they are made, so messages are ordered as
 * the processes caused them.
 */
#ifndef DAV2M_QEMU_TRACE_WIRE_H
#define DAV2M_QEMU_TRACE_WIRE_H

#include <stdint.h>

/* Words in a message. A process that others run beside is switched to and from at messages, so this
   is the time slice, too: some million instructions. */
#define TRACE_WIRE_WORDS (1u << 18)

#define TRACE_WIRE_MAGIC 0x76324d31u

enum trace_wire_kind {
	TRACE_WIRE_BEGIN = 0,	/* a program begins: the first one, or after exec */
	TRACE_WIRE_WORDS_ONLY,	/* words of the reference stream */
	TRACE_WIRE_FORK,	/* words, then the process forks: number is the fork's */
	TRACE_WIRE_VFORK,	/* the same; the child lives in its parent's memory until exec */
	TRACE_WIRE_FORK_FAILED, /* that fork did not take place */
	TRACE_WIRE_CHILD,	/* a child runs: parent and number tell of which fork */
	TRACE_WIRE_EXIT,	/* words, then the process ends */
	TRACE_WIRE_LEAVE	/* words, then it runs a program that cannot be followed */
};

struct trace_wire {
	uint32_t magic;
	uint32_t kind; /* enum trace_wire_kind */
	int32_t pid;
	int32_t parent;
	uint32_t thread;
	uint32_t number;
	uint32_t words; /* that follow */
	uint32_t zero;
};

#endif
