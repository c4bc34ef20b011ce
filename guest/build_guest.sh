#!/usr/bin/env bash
# Build the tiny guest: a distribution's own kernel, a static busybox and dropbear in an initramfs, on a bootable
# 32 MiB disk. No root, no mount, no loop device.
#
# usage: guest/build_guest.sh [OUTPUT_DIR]      default: var/guest of this checkout
# makes: OUTPUT_DIR/tiny.qcow2 (and vmlinuz, initrd.gz beside it). A second run with the same sources does nothing.
set -euo pipefail
shopt -s nullglob
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "${1:-$here/../var/guest}"
output=$(cd "${1:-$here/../var/guest}" && pwd)
work=$output/work
disk_mib=32
modules="virtio_pci virtio_blk virtio_net virtio_balloon virtio_rng virtio_scsi virtio_console sd_mod sr_mod ata_piix
  isofs vfat nls_ascii nls_iso8859-1 nls_cp437 button evdev"

fail() { echo "build_guest: $*" >&2; exit 1; }

sources_hash() { (cd "$here" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64); }

check_tools() {
  local missing=() tool
  for tool in apt-get dpkg-deb cpio gzip mcopy mkfs.vfat syslinux sfdisk modinfo qemu-img flock; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} = 0 ] || fail "not installed: ${missing[*]} (see packages.txt)"
}

# Debian's cloud kernel, else Ubuntu's virtual one; their modules may stand in a package of their own.
kernel_packages() {
  local meta package
  for meta in linux-image-cloud-amd64 linux-image-virtual; do
    package=$(apt-cache depends "$meta" 2>/dev/null | awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
    [ -n "$package" ] || continue
    echo "$package"
    apt-cache depends "$package" | awk '/Depends: linux-modules-[0-9]/ {print $2}'
    return
  done
  fail "no kernel package is known: run apt-get update"
}

fetch() {
  local kernel
  mkdir -p "$work/debs" "$work/unpacked"
  kernel=$(kernel_packages)
  # shellcheck disable=SC2086 # a list of package names
  (cd "$work/debs" && apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User="$(id -un)" download \
    $kernel busybox-static dropbear-bin libtomcrypt1 libtommath1 libgmp10 libcrypt1 libc6 zlib1g) >"$work/fetch.log" 2>&1 ||
    { tail -n 5 "$work/fetch.log" >&2; fail "the packages could not be downloaded: run apt-get update"; }
  for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/unpacked"; done
}

# Copy a module after those it needs, in an order that insmod can follow.
declare -A added=()
add_module() {
  local name=$1 file needed
  [ -z "${added[$name]:-}" ] || return 0
  added[$name]=1
  file=$(find "$work/unpacked" -path '*/kernel/*' -name "${name//[-_]/[-_]}.ko*" -print -quit)
  [ -n "$file" ] || return 0 # built into the kernel
  for needed in $(modinfo -F depends "$file" | tr , ' '); do add_module "$needed"; done
  case $file in
    *.zst) zstd -q -d -f "$file" -o "$work/root/lib/modules/$name.ko" ;;
    *.xz) xz -d -c "$file" >"$work/root/lib/modules/$name.ko" ;;
    *) cp "$file" "$work/root/lib/modules/$name.ko" ;;
  esac
  echo "$name.ko" >>"$work/root/lib/modules/order"
}

add_dropbear() {
  local library file
  mkdir -p "$work/root/usr/sbin" "$work/root/lib/x86_64-linux-gnu" "$work/root/lib64"
  cp "$work/unpacked/usr/sbin/dropbear" "$work/root/usr/sbin/"
  for library in libc.so.6 libcrypt.so.1 libz.so.1 libtomcrypt.so.1 libtommath.so.1 libgmp.so.10; do
    file=$(find "$work/unpacked" -name "$library" -print -quit)
    [ -z "$file" ] || cp -L "$file" "$work/root/lib/x86_64-linux-gnu/"
  done
  file=$(find "$work/unpacked" -path '*x86_64-linux-gnu/ld-linux-x86-64.so.2' -print -quit)
  cp -L "$file" "$work/root/lib64/ld-linux-x86-64.so.2"
}

make_initramfs() {
  mkdir -p "$work/root"/{bin,etc,proc,sys,dev,tmp,run,mnt,root,var/log,lib/modules}
  ln -s ../run "$work/root/var/run"
  cp -a "$here/rootfs/." "$work/root/"
  cp "$(find "$work/unpacked" -path '*/bin/busybox' -type f -print -quit)" "$work/root/bin/busybox"
  local module
  for module in $modules; do add_module "$module"; done
  add_dropbear
  find "$work/root" -exec touch -h -d @0 {} +
  (cd "$work/root" && find . | sort | cpio --quiet --reproducible -R 0:0 -o -H newc | gzip -n -9) >"$work/initrd.gz"
  cp "$(find "$work/unpacked/boot" -name 'vmlinuz-*' -print -quit)" "$work/vmlinuz"
}

# A boot record, one FAT16 partition at 1 MiB, syslinux.
make_disk() {
  local disk=$work/tiny.raw partition=$work/partition.fat file mbr
  mbr=/usr/lib/syslinux/mbr/mbr.bin
  [ -s "$mbr" ] || fail "not installed: syslinux-common (mbr.bin)"
  truncate -s "${disk_mib}M" "$disk"
  echo 'start=2048, type=6, bootable' | sfdisk -q "$disk"
  truncate -s "$((disk_mib - 1))M" "$partition"
  mkfs.vfat -F 16 -n TINY -h 2048 --invariant "$partition" >/dev/null
  for file in "$work/vmlinuz" "$work/initrd.gz" "$here/syslinux.cfg"; do
    MTOOLS_SKIP_CHECK=1 mcopy -i "$partition" "$file" "::$(basename "$file")"
  done
  syslinux --install "$partition"
  dd if="$partition" of="$disk" bs=1M seek=1 conv=notrunc status=none
  dd if="$mbr" of="$disk" bs=440 count=1 conv=notrunc status=none
  qemu-img convert -q -c -f raw -O qcow2 "$disk" "$work/tiny.qcow2"
}

exec 9>"$output/.lock"
flock 9
stamp=$(sources_hash)
if [ -s "$output/tiny.qcow2" ] && [ "$(cat "$output/.stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
check_tools
trap 'status=$?; rm -rf "$work"; [ $status = 0 ] || echo "build_guest: gave up with status $status" >&2' EXIT
rm -rf "$work"
fetch
make_initramfs
make_disk
mv "$work/vmlinuz" "$work/initrd.gz" "$work/tiny.qcow2" "$output/"
echo "$stamp" >"$output/.stamp"
echo "built $output/tiny.qcow2 ($(stat -c %s "$output/tiny.qcow2") bytes)"
