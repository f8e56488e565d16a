# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One list of functions and tables, seen from five sides: what the headers declare, the symbol map grants, the
# shared object exports, a program can link, and the manual names. And the soname follows version.h.
. "$(dirname "$0")/lib.sh"
need_tools nm readelf cc

version=$(sed -n 's/^#define DAV2M_VERSION "\(.*\)"$/\1/p' include/dav2m/version.h)
case $version in
0.*) soversion=$(cut -d. -f1,2 <<<"$version") ;;
*) soversion=${version%%.*} ;;
esac

# same WHAT EXPECTED ACTUAL: two lists in files
same() {
	diff -u "$2" "$3" >"$scratch/diff" || { wrong "$1"; cat "$scratch/diff"; }
}

granted() { grep -oE '\bdav2m_[a-z0-9_]+;' "$1" | tr -d ';' | sort; }

# A program that fails to link, or ends with 1, unless every listed function has an address.
resolves() {
	local list=$1 library=$2
	shift 2
	{
		printf '#include <%s>\n' "$@"
		printf 'typedef void (*any)(void);\nstatic const any all[] = {\n'
		sed 's/.*/\t(any)\&&,/' "$list"
		printf '};\nint main(void)\n{\n\tfor (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)\n'
		printf '\t\tif (!all[i])\n\t\t\treturn 1;\n\treturn 0;\n}\n'
	} >"$scratch/all.c"
	cc -Iinclude "$scratch/all.c" -o "$scratch/all" "$library" \
		-Wl,-z,now -Wl,-rpath-link,"$build/src" &&
		LD_LIBRARY_PATH=$build/src:$(dirname "$library") "$scratch/all"
}

# check NAME FOLDER MAP HEADER...
check() {
	local name=$1 folder=$2 map=$3
	shift 3
	local library=$build/$folder/lib$name.so
	declared "$@" >"$scratch/declared"
	granted "$map" >"$scratch/granted"
	nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
		sort >"$scratch/exported"
	looked_at=$((looked_at + $(wc -l <"$scratch/declared")))
	same "$map grants what the headers declare" "$scratch/declared" "$scratch/granted"
	same "$library exports what the headers declare" "$scratch/declared" "$scratch/exported"
	resolves "$scratch/declared" "$library" "${@#include/}" ||
		wrong "a function of lib$name does not resolve in its shared object"
	readelf -d "$library" | grep -F "[lib$name.so.$soversion]" >/dev/null ||
		wrong "the soname of lib$name is not lib$name.so.$soversion"
	manual "$scratch/declared"
}

# A static library shares one name space with the program that links it.
prefixed() {
	nm -g --defined-only "$1" | awk 'NF == 3 && $3 !~ /^dav2m_/ { print $3 }' >"$scratch/foreign"
	[ ! -s "$scratch/foreign" ] ||
		wrong "$1 defines names outside dav2m_: $(paste -sd' ' "$scratch/foreign")"
}

# Each function stands in the NAME and the SYNOPSIS of a page.
manual() {
	local function
	while read -r function; do
		grep -qE "^\.Nm $function( ,)?$" man/*.3 || wrong "no manual page names $function"
		grep -qE "^\.F[no] \"?$function\b|^\.Vt \"extern .* $function;\"" man/*.3 ||
			wrong "no SYNOPSIS shows $function"
	done <"$1"
}

looked_at=0
check dav2m src src/dav2m.map include/dav2m/*.h
prefixed "$build/src/libdav2m.a"
prefixed "$build/src/host/libdav2m-host.a"
# Not every machine builds libdav2m-kvm.
[ ! -e "$build/backends/kvm/libdav2m-kvm.a" ] || prefixed "$build/backends/kvm/libdav2m-kvm.a"
for part in host:src/host sim:backends/sim kvm:backends/kvm; do
	name=${part%%:*}
	folder=${part#*:}
	[ ! -e "$build/$folder/libdav2m-$name.so" ] ||
		check "dav2m-$name" "$folder" "$folder/dav2m-$name.map" "include/dav2m/$name"/*.h
done
finish "$looked_at"
