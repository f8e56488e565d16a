#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Turns the guest's image into a C array: embed.sh OBJCOPY guest.elf guest_image.h
set -e
tmp="$3.bin"
"$1" -O binary -j .text "$2" "$tmp"
{
	echo '/* Made from guest.S and guest.c. */'
	echo 'static const unsigned char guest_image[] = {'
	od -An -v -tu1 "$tmp" | sed 's/\([0-9][0-9]*\)/\1,/g'
	echo '};'
} >"$3"
rm -f "$tmp"
