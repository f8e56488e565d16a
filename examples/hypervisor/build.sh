#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the hypervisor: build.sh OUTPUT [compiler options, such as -DHV_MUTANT=...]
# Needs a compiler for x86-64 ($CC, else cc) and objcopy; nothing else, so that another build system
# has something to copy.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
output=$1
shift
cc=${CC:-cc}
work=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$work"' EXIT

# No FPU or SSE: the guest's registers are live. No red zone: interrupts use the same stack.
freestanding="-std=gnu11 -O2 -g0 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only
  -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none"
# Or gcc turns the loops of memory.c into calls of what they implement. clang does not.
no_patterns=-fno-tree-loop-distribute-patterns
# shellcheck disable=SC2086
$cc $no_patterns -E -x c /dev/null >/dev/null 2>&1 && freestanding="$freestanding $no_patterns"
warnings='-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow'
link='-nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096
  -Wl,--no-warn-rwx-segments'

compile() { # object source options...
  object=$work/$1
  source=$2
  shift 2
  # shellcheck disable=SC2086
  $cc $freestanding $warnings "$@" -c "$source" -o "$object"
}

compile start.o "$here/guest/start.S"
compile kernel.o "$here/guest/kernel.c" -mcmodel=kernel
compile phase.o "$here/guest/phase.c" -mcmodel=kernel
compile user.o "$here/guest/user.c"
# shellcheck disable=SC2086
$cc $link -Wl,-T,"$here/guest/guest.ld" -o "$work/guest.elf" \
  "$work/start.o" "$work/kernel.o" "$work/phase.o" "$work/user.o"
objcopy -O binary "$work/guest.elf" "$work/guest.bin"

compile guest_image.o "$here/guest_image.S" -Wa,-I"$work"
for name in boot world; do
  compile $name.o "$here/$name.S"
done
for name in main log machine memory vcpu invariant guest_memory nested shadow decode exit switch \
  counters adapter; do
  compile $name.o "$here/$name.c" -I"$top/include" "$@"
done
for source in "$top"/src/*.c; do
  name=$(basename "$source" .c)
  compile "dav2m_$name.o" "$source" -I"$top/include"
done
# shellcheck disable=SC2086
$cc $link -Wl,-T,"$here/hypervisor.ld" -o "$work/hypervisor.elf" "$work"/boot.o "$work"/world.o \
  "$work"/guest_image.o "$work"/main.o "$work"/log.o "$work"/machine.o "$work"/memory.o \
  "$work"/vcpu.o "$work"/invariant.o "$work"/guest_memory.o "$work"/nested.o "$work"/shadow.o \
  "$work"/decode.o "$work"/exit.o "$work"/switch.o "$work"/counters.o "$work"/adapter.o \
  "$work"/dav2m_*.o

# Multiboot: QEMU takes 32-bit ELF only, GRUB both.
objcopy -O elf32-i386 "$work/hypervisor.elf" "$output"
