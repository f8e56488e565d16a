# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Who may include what: the core knows no libc, public headers lead to public headers only, and a
# backend sees what any VMM sees, the public headers.
. "$(dirname "$0")/lib.sh"

# Lines "FILE INCLUDED" with the quotes or brackets kept.
included() {
	find "$@" -type f -name '*.[ch]' -exec grep -HoE '^[ \t]*#[ \t]*include[ \t]*[<"][^>"]+[>"]' {} + |
		sed -E 's/^([^:]*):[^<"]*/\1 /'
}

# judge WHAT ALLOWED: of the lines of standard input, those that ALLOWED does not match are wrong.
judge() {
	local file target
	while read -r file target; do
		looked_at=$((looked_at + 1))
		[[ $target =~ $2 ]] || wrong "$file includes $target: $1"
	done
}

looked_at=0
freestanding='<std(atomic|bool|def|int)\.h>'
judge 'the core includes public headers of the core, its own, and freestanding ones' \
	'^(<dav2m/[a-z0-9_]+\.h>|"[a-z0-9_]+\.h"|'"$freestanding"')$' \
	< <(included src -maxdepth 1)
judge 'public headers of the core include only each other and freestanding ones' \
	'^(<dav2m/[a-z0-9_]+\.h>|<std(def|int)\.h>)$' \
	< <(included include/dav2m -maxdepth 1)
judge 'public headers include public and standard headers' '^<[a-z0-9_/]+\.h>$' \
	< <(included include)
for backend in backends/*/; do
	[ -d "$backend" ] || continue
	judge 'a backend includes public headers, system headers and those of its own folder' \
		'^(<[^.].*>|"[^./"][^"]*")$' < <(included "$backend")
	# A quoted name, or one in brackets that a private folder would answer.
	while read -r file target; do
		name=${target:1:-1}
		case $target in
		\"*) [ -e "$(dirname "$file")/$name" ] || [ -e "$backend$name" ] ||
			wrong "$file includes $target, which its folder does not hold" ;;
		*) for private in src src/host tools tests; do
			[ ! -e "$private/$name" ] || wrong "$file includes $target of $private/"
		done ;;
		esac
	done < <(included "$backend")
done
finish "$looked_at"
