# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The core must compile for a kernel or a hypervisor: no libc but four memory functions, no
# floating point, no division helper on 32 bits, and nothing that is written to but its arguments.
. "$(dirname "$0")/lib.sh"
need_tools nm
find_variants gcc clang
allowed='^(dav2m_[a-z0-9_]+|mem(cpy|set|move|cmp)|_GLOBAL_OFFSET_TABLE_)$'

# compile VARIANT LEVEL SOURCE OBJECT
compile() {
	# shellcheck disable=SC2086 # a variant is a compiler with its word size
	$1 -std=c11 "$2" -ffreestanding -fno-builtin -fno-pie -mgeneral-regs-only \
		-Wall -Wextra -Werror -Iinclude -c "$3" -o "$4"
}

forbidden_calls() { nm -u "$1" | awk '{ print $2 }' | grep -vE "$allowed" || true; }
mutable_statics() { nm "$1" | awk '$2 ~ /^[dDbBC]$/ { print $3 }'; }

# The checks themselves, on a file that breaks both rules.
cat >"$scratch/breaks.c" <<'END'
int printf(const char *format, ...);
unsigned dav2m_count;
int dav2m_bad(void);
int dav2m_bad(void) { return printf("%u", ++dav2m_count); }
END
compile "${variants[0]}" -O2 "$scratch/breaks.c" "$scratch/breaks.o"
[ -n "$(forbidden_calls "$scratch/breaks.o")" ] || wrong 'a call of printf goes unseen'
[ -n "$(mutable_statics "$scratch/breaks.o")" ] || wrong 'a global variable goes unseen'

looked_at=0
for variant in "${variants[@]}"; do
	for level in -O0 -O2 -Os; do
		for file in src/*.c; do
			looked_at=$((looked_at + 1))
			name="$file with $variant $level"
			compile "$variant" "$level" "$file" "$scratch/core.o" || {
				wrong "$name does not compile"
				continue
			}
			for symbol in $(forbidden_calls "$scratch/core.o"); do
				wrong "$name needs $symbol"
			done
			for symbol in $(mutable_statics "$scratch/core.o"); do
				wrong "$name has the mutable object $symbol"
			done
		done
	done
done
finish "$looked_at"
