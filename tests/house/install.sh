# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a user gets: installs into a scratch root, finds the libraries through pkg-config there and
# nowhere else, compiles every example against that copy, with the shared libraries and as a program
# that needs none, and runs the README's.
. "$(dirname "$0")/lib.sh"
need_tools meson pkg-config cc

root=$scratch/root
# Also builds what nothing else in the tests needed.
meson install -C "$build" --quiet --destdir "$root" >"$scratch/log" 2>&1 ||
	{ cat "$scratch/log"; exit 1; }

pc=$(find "$root" -name dav2m.pc)
[ -n "$pc" ] || { wrong 'dav2m.pc is not installed'; finish 1; }
PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$root
LD_LIBRARY_PATH=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH

version=$(sed -n 's/^#define DAV2M_VERSION "\(.*\)"$/\1/p' include/dav2m/version.h)
[ "$(pkg-config --modversion dav2m)" = "$version" ] || wrong 'dav2m.pc has another version'

# static NAME SOURCE PACKAGE: what pkg-config --static says suffices for a program that needs no
# library where it runs, if this machine has the static libraries that the package stands on.
static() {
	local flags needs
	read -ra flags < <(pkg-config --static --cflags --libs "$3")
	read -ra needs < <(pkg-config --static --libs-only-l "$3" | sed 's/-ldav2m[a-z-]*//g')
	if ! echo 'int main(void) { return 0; }' |
		cc -static -x c - -o "$1" -x none "${needs[@]}" 2>/dev/null; then
		printf 'left out: no static %s\n' "${needs[*]:-libc}"
		return 1
	fi
	cc -static "$2" -o "$1" "${flags[@]}" || { wrong "$1 does not link with static $3"; return 1; }
}

cd "$scratch"
looked_at=0
for example in "$src"/examples/*.c; do
	looked_at=$((looked_at + 1))
	name=$(basename "$example" .c)
	package=dav2m
	! grep -q '<dav2m/host/' "$example" || package=dav2m-host
	! grep -q '<dav2m/sim/' "$example" || package=dav2m-sim
	read -ra flags < <(pkg-config --cflags --libs "$package")
	cc -std=c11 -Wall -Wextra -Werror "$example" -o "$name" "${flags[@]}" ||
		wrong "$name does not compile against the installed $package"
	if static "$name.static" "$example" "$package" && [ "$name" = minimal_vmm ]; then
		./minimal_vmm.static >static.out || wrong 'minimal_vmm fails as a static program'
	fi
done

# The README shows examples/minimal_vmm.c without its licence line, and it runs.
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$src/README.md" >readme.c
grep -v SPDX "$src/examples/minimal_vmm.c" | diff -u - readme.c ||
	wrong 'the example in README.md is not examples/minimal_vmm.c'
./minimal_vmm >shared.out || wrong 'minimal_vmm fails with the installed shared library'
[ -s shared.out ] || wrong 'minimal_vmm prints nothing'
[ ! -e static.out ] || cmp static.out shared.out ||
	wrong 'the static library decides otherwise than the shared one'
ldd ./minimal_vmm | grep -F "$LD_LIBRARY_PATH/libdav2m.so" >/dev/null ||
	wrong 'minimal_vmm does not use the installed library'

# libdav2m-kvm, where this machine builds it: with headers, library and .pc as installed.
if [ -e "$LD_LIBRARY_PATH/libdav2m-kvm.so" ]; then
	looked_at=$((looked_at + 1))
	cat >watch.c <<-'END'
		#include <dav2m/kvm/kvm.h>
		#include <stdio.h>
		int main(void)
		{
			struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;
			struct dav2m_kvm_guest *guest;
			struct dav2m_kvm_fault fault;
			char text[300];

			setup.pid = 2147483646; /* no such process */
			if (!dav2m_kvm_guest_attach(&setup, &guest, &fault))
				return 1;
			return puts(dav2m_kvm_fault_text(&fault, text, sizeof(text))) < 0;
		}
	END
	read -ra flags < <(pkg-config --cflags --libs dav2m-kvm)
	cc -std=c11 -Wall -Wextra -Werror watch.c -o watch "${flags[@]}" ||
		wrong 'a watcher does not compile against the installed dav2m-kvm'
	./watch >watch.out || wrong 'the watcher fails with the installed shared library'
	grep -q 'look at the process' watch.out || wrong "the watcher says: $(cat watch.out)"
	ldd ./watch | grep -F "$LD_LIBRARY_PATH/libdav2m-kvm.so" >/dev/null ||
		wrong 'the watcher does not use the installed library'
	if static watch.static watch.c dav2m-kvm; then
		./watch.static | cmp - watch.out || wrong 'the static watcher says something else'
	fi
fi

# The plugin is found where it is installed, by the command that is installed.
if command -v qemu-x86_64 >/dev/null && [ -e "$LD_LIBRARY_PATH/dav2m/dav2m-trace.so" ]; then
	looked_at=$((looked_at + 1))
	"$(find "$root" -path '*/bin/dav2m')" trace --recorder qemu -o true.dav2m /bin/true ||
		wrong 'the installed dav2m trace does not record under QEMU'
fi

# Functions are found under their own names in the manual.
for function in dav2m_init dav2m_sample dav2m_config_check; do
	[ -e "$(find "$root" -name "$function.3" -print -quit)" ] ||
		wrong "man $function would find no page"
done
finish "$looked_at"
