# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Runs the example hypervisor under QEMU's software emulation, always under a time limit.
# Sourced with hypervisor and plugin set; $work is a directory that goes away with the script.
# shellcheck disable=SC2154

TIME_LIMIT=${TIME_LIMIT:-100}

# What the guest does where modes are compared: calm stretches of some 200 million instructions on
# 8 MB between stretches of some 100 million with all that page tables can suffer.
# shellcheck disable=SC2034
ADAPTIVE_GUEST='rounds=2 work=1000 pages=2048'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "skipped: $*"
  exit 77
}

fail() {
  echo "FAILED: $*"
  exit 1
}

# The guest's memory as a file that the plugin can map: in memory where there is such a place.
memory_file() {
  if [ -w /dev/shm ]; then mktemp /dev/shm/hypervisor.XXXXXX; else mktemp "$work/ram.XXXXXX"; fi
}

# qemu IMAGE COMMAND-LINE [QEMU OPTION...]: the log goes to standard output; answers QEMU's status,
# (code << 1) | 1 when the hypervisor ended the run: 1 the guest finished, 5 it was stopped.
qemu() {
  image=$1
  command_line=$2
  shift 2
  timeout -k 5 "$TIME_LIMIT" qemu-system-x86_64 -accel tcg -cpu max,+svm,+npt -m 128 \
    -display none -nodefaults -no-reboot -serial stdio -icount shift=0,sleep=off \
    -device isa-debug-exit,iobase=0xf4,iosize=0x04 \
    -kernel "$image" -append "$command_line" "$@" </dev/null
}

# As qemu(), with the machine's counters published to the hypervisor.
qemu_counted() {
  ram=$(memory_file)
  truncate -s 128M "$ram"
  status=0
  qemu "$@" -object memory-backend-file,id=ram,size=128M,mem-path="$ram",share=on \
    -machine memory-backend=ram -plugin "$plugin,ram=$ram" || status=$?
  rm -f "$ram"
  return $status
}

# run COMMAND-LINE LOG [qemu | qemu_counted]: a run that must end well.
run() {
  status=0
  "${3:-qemu}" "$hypervisor" "$1" >"$2" 2>"$2.err" || status=$?
  [ "$status" -ne 124 ] || fail "$1: no end within $TIME_LIMIT s"
  [ "$status" -eq 1 ] || { cat "$2" "$2.err"; fail "$1: ended with status $status"; }
}

checksum() {
  sed -n 's/^checksum: //p' "$1"
}

cycles() {
  sed -n 's/^counters: \([0-9]*\) cycles.*/\1/p' "$1"
}

switches() {
  sed -n 's/^switches: \([0-9]*\) to shadow.*, \([0-9]*\) to nested.*/\1 \2/p' "$1" |
    { read -r shadow nested; echo $((shadow + nested)); }
}

# field LOG NAME: the number before NAME in the log.
field() {
  sed -n "s/.*[^0-9]\([0-9][0-9]*\) $2.*/\1/p" "$1" | head -n 1
}

# libdav2m's and its adapter's share of all instructions, in millionths.
library_ppm() {
  library=$(field "$1" 'library instructions')
  all=$(($(field "$1" 'guest instructions') + $(field "$1" 'host instructions')))
  echo $((library * 1000000 / all))
}

# Skips where QEMU or its firmware is missing, or, with "counted" rather than "plain", where QEMU
# takes no plugins.
need_qemu() {
  command -v qemu-system-x86_64 >/dev/null ||
    skip "no qemu-system-x86_64 (Debian package qemu-system-x86)"
  qemu "$hypervisor" 'mode=nested rounds=0' >"$work/probe" 2>&1 || true
  ! grep -q 'BIOS' "$work/probe" || skip "QEMU finds no firmware (Debian package seabios)"
  [ "$1" = counted ] || return 0
  qemu_counted "$hypervisor" 'mode=nested rounds=0' >"$work/probe" 2>&1 || true
  grep -q 'published by the machine' "$work/probe" ||
    skip "this QEMU does not run plugins: $(tail -n 1 "$work/probe")"
}
