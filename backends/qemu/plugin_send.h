/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin's side of trace_wire.h.
 */
#ifndef DAV2M_QEMU_PLUGIN_SEND_H
#define DAV2M_QEMU_PLUGIN_SEND_H

#include "trace_wire.h"

/* Remembers where to send, and tells that a program begins. */
void plugin_send_begin(const char *socket_path);
/* Tells that this process is the child of the one that has sent so far, from that fork. */
void plugin_send_child(uint32_t number);
/* Sends; what fails once is not tried again. One thread at a time. */
void plugin_send(enum trace_wire_kind kind, uint32_t thread, uint32_t number, const uint64_t *words,
		 uint32_t n);

#endif
