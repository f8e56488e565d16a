# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The core compiles where there is no <stdint.h>: a kernel names its own types to it. The header that
# docs/porting.md shows for Linux is all it takes, here on stand-ins for the two that it includes.
. "$(dirname "$0")/lib.sh"
find_variants gcc clang

mkdir -p "$scratch/include/linux"
cat >"$scratch/include/linux/stddef.h" <<'END'
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
END
# The kernel's 64-bit types are long long on every machine, those of a compiler's <stdint.h> are not.
# It has macros of its own, too, by the names of attributes.
cat >"$scratch/include/linux/types.h" <<'END'
#define noinline __attribute__((__noinline__))
#define inline inline __attribute__((__gnu_inline__))
typedef __SIZE_TYPE__ size_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
END
sed -n '/^    \/\* types\.h/,/^$/s/^    //p' docs/porting.md >"$scratch/include/types.h"
[ -s "$scratch/include/types.h" ] || wrong 'docs/porting.md shows no types.h'

# compile VARIANT SOURCE [OPTION...]
compile() {
	local variant=$1 source=$2
	shift 2
	# shellcheck disable=SC2086 # a variant is a compiler with its word size
	$variant -std=gnu11 -O2 -ffreestanding -nostdinc -mgeneral-regs-only -Wall -Wextra -Werror \
		-Iinclude -I"$scratch/include" "$@" -c "$source" -o "$scratch/core.o"
}

looked_at=0
for variant in "${variants[@]}"; do
	! compile "$variant" src/meter.c 2>/dev/null || wrong "$variant finds a <stdint.h> here"
	for file in src/*.c; do
		looked_at=$((looked_at + 1))
		compile "$variant" "$file" '-DDAV2M_TYPES_HEADER="types.h"' ||
			wrong "$file with $variant and a kernel's types"
	done
done
finish "$looked_at"
