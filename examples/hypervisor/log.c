/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial log and the end of a run. Nothing printed depends on wall-clock time, so that two
 * runs can be compared byte by byte.
 */
#include <stdarg.h>

#include "hypervisor.h"

#define COM1		  0x3f8
#define LINE_STATUS	  (COM1 + 5)
#define TRANSMITTER_EMPTY 0x20
#define DEBUG_EXIT	  0xf4 /* QEMU's isa-debug-exit: status is (code << 1) | 1 */

static void port_write(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t port_read(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* 115200 baud, 8 bits, no parity, no interrupts. */
void log_init(void)
{
	port_write(COM1 + 1, 0);
	port_write(COM1 + 3, 0x80);
	port_write(COM1, 1);
	port_write(COM1 + 1, 0);
	port_write(COM1 + 3, 3);
}

static void print_char(char c)
{
	while (!(port_read(LINE_STATUS) & TRANSMITTER_EMPTY))
		;
	port_write(COM1, (uint8_t)c);
}

static void print_string(const char *s)
{
	while (*s)
		print_char(*s++);
}

static void print_number(uint64_t value, unsigned base)
{
	char text[24];
	char *p = text + sizeof text;

	*--p = 0;
	do
		*--p = "0123456789abcdef"[value % base];
	while (value /= base);
	print_string(p);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			print_char(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			print_string(va_arg(args, const char *));
			break;
		case 'u':
			print_number(va_arg(args, uint64_t), 10);
			break;
		case 'x':
			print_string("0x");
			print_number(va_arg(args, uint64_t), 16);
			break;
		default:
			print_char(*format);
		}
	}
	va_end(args);
}

_Noreturn void leave(uint8_t code)
{
	port_write(DEBUG_EXIT, code);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void stop(const char *reason, uint64_t value)
{
	print("stop: %s (%x)\n", reason, value);
	leave(2);
}

_Noreturn void exception_stop(const uint64_t *stack)
{
	print("error code or rip %x, rip or cs %x, ", stack[0], stack[1]);
	stop("exception in the hypervisor", stack[2]);
}
