# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual pages are well-formed, their prototypes are those of the headers, and their examples
# compile. A literal block under EXAMPLES of section 3 is whole functions; what they include is
# what the page's SYNOPSIS includes.
. "$(dirname "$0")/lib.sh"
need_tools mandoc cc

flags=(-std=c11 -Wall -Wextra -Wpedantic -Werror -Wno-unused-function -Iinclude -fsyntax-only -x c)

includes() { sed -n '/^\.Sh DESCRIPTION/q; s/^\.In \(.*\)$/#include <\1>/p' "$1"; }

# Prototypes out of ".Ft TYPE" with ".Fn NAME ARG..." or ".Fo NAME", ".Fa ARG"..., ".Fc".
prototypes() {
	awk '
	function argument(text) { args = args (args == "" ? "" : ", ") text }
	function emit() { print type " " name "(" (args == "" ? "void" : args) ");"; args = "" }
	/^\.Ft / { type = substr($0, 5); gsub(/"/, "", type) }
	/^\.Fo / { name = $2; args = "" }
	/^\.Fa / && name != "" { text = substr($0, 5); gsub(/"/, "", text); argument(text) }
	/^\.Fc/ { emit(); name = "" }
	/^\.Fn / && type != "" {
		count = split(substr($0, 5), part, "\"")
		name = part[1]; sub(/ .*/, "", name)
		for (i = 2; i <= count; i += 2) if (part[i] != "void") argument(part[i])
		emit(); name = ""
	}
	/^\.Sh DESCRIPTION/ { exit }
	' "$1"
}

examples() {
	awk '
	/^\.Sh / { inside = $2 == "EXAMPLES" }
	/^\.Ed/ { block = 0 }
	inside && block { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print }
	/^\.Bd .*-literal/ { block = 1 }
	' "$1"
}

# compiles PAGE WHAT: the C text of standard input, after the includes of the page
compiles() {
	{ includes "$1"; cat; } >"$scratch/text.c"
	cc "${flags[@]}" "$scratch/text.c" || wrong "$1: $2"
}

looked_at=0
for page in man/*.[1-9]; do
	looked_at=$((looked_at + 1))
	mandoc -T lint -W warning "$page" || wrong "$page: see above"
done
for page in man/*.3; do
	prototypes "$page" >"$scratch/prototypes"
	compiles "$page" 'SYNOPSIS and header disagree' <"$scratch/prototypes"
	examples "$page" >"$scratch/examples"
	[ ! -s "$scratch/examples" ] || compiles "$page" 'an example does not compile' \
		<"$scratch/examples"
done

# The checks themselves: a prototype that no header has must not pass.
before=$failures
printf '.In dav2m/dav2m.h\n.Ft int\n.Fn dav2m_init "int wrong"\n.Sh DESCRIPTION\n' >"$scratch/bad.3"
compiles "$scratch/bad.3" expected < <(prototypes "$scratch/bad.3") >/dev/null 2>&1
if [ "$failures" -gt "$before" ]; then
	failures=$before
else
	wrong 'a wrong prototype goes unseen'
fi
finish "$looked_at"
