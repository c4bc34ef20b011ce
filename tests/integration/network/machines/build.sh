#!/usr/bin/env bash
# Build what a machine boots whose kernel has what this one may lack (802.1Q): Debian's cloud kernel, and in its
# initramfs this Python, the agent's network driver and the tools that it calls.
#
# usage: tests/integration/network/machines/build.sh OUTPUT_DIR
# makes: OUTPUT_DIR/vmlinuz and OUTPUT_DIR/initrd
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
output=$1
python=$checkout/.venv/bin/python
work=$output/work
root=$work/root
modules="virtio_pci virtio_net bridge br_netfilter 8021q veth tun nf_tables nft_chain_nat nft_masq nft_ct nft_reject_bridge
  nf_conntrack_netlink nf_conntrack_bridge nft_meta_bridge"
tools="ip nft dnsmasq busybox"

rm -rf "$work"
mkdir -p "$work" "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,run/lock,etc,root,modules}
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
(cd "$work" && apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User="$(id -un)" download "$kernel" >fetch.log 2>&1)
dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
version=$(basename "$work"/kernel/lib/modules/*)
cp "$work/kernel/boot/vmlinuz-$version" "$output/vmlinuz"

# Modules after those they need, as insmod must have them.
depmod -b "$work/kernel" "$version"
for module in $modules; do
    modprobe -d "$work/kernel" -S "$version" --show-depends "$module" 2>>"$work/modules.log" | awk '/^insmod/ {print $2}' || true
done | awk '!seen[$0]++' >"$work/order"
while read -r file; do
    cp "$file" "$root/modules/"
    basename "$file" >>"$root/modules/order"
done <"$work/order"

# Files at their own places; the libraries that a program or library names.
take() {
    local file
    for file in "$@"; do [ -e "$root$file" ] || cp -L --parents "$file" "$root"; done
}
libraries() { ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}'; }
for tool in $tools; do take "$(command -v "$tool")"; done
cp "$(command -v busybox)" "$root/bin/busybox"
"$python" - >"$work/python" <<'PY'
import sys, sysconfig
import msgspec, pyroute2
print(sys._base_executable, sysconfig.get_path("stdlib"), *(one.__path__[0] for one in (msgspec, pyroute2)))
PY
read -r interpreter stdlib packages <"$work/python"
interpreter=$(readlink -f "$interpreter")
take "$interpreter"
(cd / && find ".$stdlib" \( -name test -o -name idlelib -o -name tkinter -o -name ensurepip -o -name site-packages -o -name 'config-*' \) -prune \
    -o -type f -print0 | cpio --quiet -0 -pdm "$root")
mkdir -p "$root/novella"
for package in $packages; do cp -r "$package" "$root/novella/"; done
(cd "$checkout" && cp -r --parents compute_agent contracts tests/__init__.py tests/fixtures/__init__.py tests/fixtures/{ids,patience}.py tests/integration/network "$root/novella/")
# shellcheck disable=SC2046 # paths without blanks
find "$root" -type f \( -name '*.so*' -o -perm -u+x \) | while read -r file; do take $(libraries "$file"); done
echo root:x:0:0::/root:/bin/sh >"$root/etc/passwd"
echo root:x:0: >"$root/etc/group"
sed "s#@PYTHON@#$interpreter#" "$checkout/tests/integration/network/machines/init" >"$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -R 0:0 -o -H newc >"$output/initrd")
rm -rf "$work"
