#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the recordings of this folder anew: what tests read of real programs, so that they need
# neither QEMU nor minutes. Paths are relative to the root, so nothing of the machine is kept but
# where its C compiler lies.
#
# usage: tests/data/recordings/make.sh DAV2M
set -euo pipefail
dav2m=$(realpath "$1")
cd "$(dirname "$0")/../../.."
to=tests/data/recordings
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# record NAME COMMAND...: packed as small as zstd can
record() {
	local name=$1
	shift
	"$dav2m" trace --recorder qemu -o "$scratch/$name" -- env -i PATH=/usr/bin:/bin "$@" >/dev/null
	zstd -q -d <"$scratch/$name" | zstd -q -f -19 -o "$to/$name.dav2m"
}

# A program in a few pages, a compiler, and a shell with fifty small processes.
record gzip sh -c 'cat src/*.c src/host/*.c | exec gzip -9'
record cc1 "$(cc -print-prog-name=cc1)" -quiet -O0 -Iinclude src/names.c -o /dev/null
# shellcheck disable=SC2016 # the recorded shell expands it
record script sh -c 'for file; do grep -c static "$file" | cat; sort "$file" | uniq -c | wc -l; done' \
	sh src/*.c
ls -l "$to"
