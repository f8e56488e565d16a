# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of the house share. Each test runs as `bash NAME.sh SOURCE_ROOT BUILD_ROOT`, says
# what it found wrong and ends with 1, or with 77 when this machine lacks a tool that it needs.
. "$(dirname "$0")/../support/check.sh"

src=$1
# shellcheck disable=SC2034 # for those who source this
build=$2
cd "$src"

need_tools() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "no $tool on this machine"
	done
}

# The compilers of this machine, each with each word size that it can build for. Sets $variants.
find_variants() {
	local compiler bits
	variants=()
	for compiler in "$@"; do
		command -v "$compiler" >/dev/null || continue
		for bits in '' -m32; do
			[ -z "$bits" ] || [ "$(uname -m)" = x86_64 ] || continue
			if echo '#include <stdint.h>' | $compiler $bits -fsyntax-only -x c - 2>/dev/null; then
				variants+=("$compiler $bits")
			else
				printf 'left out: %s %s does not work here\n' "$compiler" "$bits"
			fi
		done
	done
	[ ${#variants[@]} -gt 0 ] || skip "none of these compilers: $*"
}

# The functions and tables that the given headers declare for callers, one on a line.
declared() {
	cat "$@" | tr '\n' ' ' | sed 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g; s/;/;\n/g' |
		sed -n -e 's/.*\bDAV2M_API\b[^(]*\b\(dav2m_[a-z0-9_]*\)(.*/\1/p' \
			-e 's/.*\bDAV2M_API extern const [^(]*\b\(dav2m_[a-z0-9_]*\);$/\1/p' | sort
}
