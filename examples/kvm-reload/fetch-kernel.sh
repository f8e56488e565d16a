#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: fetch-kernel.sh FOLDER
#
# Gets Debian's cloud kernel by apt-get download and unpacks what kvm-reload's test boots:
# vmlinuz, irqbypass.ko, kvm.ko, kvm-amd.ko. Nothing is installed.
set -euo pipefail
folder=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
	sed -n 's/^ *Depends: \(linux-image-.*-cloud-amd64\)$/\1/p' | head -n 1)
[ -n "$package" ] || { echo 'apt knows no linux-image-cloud-amd64 (Debian only)' >&2; exit 1; }
(cd "$scratch" && apt-get download -qq "$package")
dpkg-deb -x "$scratch"/*.deb "$scratch/root"

# Modules may be compressed; the little machine has nothing that unpacks them.
module() {
	local file
	file=$(find "$scratch/root" -name "$1" -o -name "$1.xz" -o -name "$1.zst" | head -n 1)
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$scratch/new/$1"
}
mkdir "$scratch/new"
for name in irqbypass.ko kvm.ko kvm-amd.ko; do module "$name"; done
cp "$scratch"/root/boot/vmlinuz-* "$scratch/new/vmlinuz"
mkdir -p "$folder"
cp "$scratch"/new/* "$folder/"
echo "$package is in $folder"
