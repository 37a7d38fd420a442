#!/usr/bin/env bash
# build-qemu.sh VERSION OUTPUT - builds qemu-system-x86_64 with the `nitro-enclave` machine from Debian's source package.
#
#   VERSION   of trixie's source package, for example 1:10.0.13+ds-0+deb13u1; exit code 3 when the mirror lacks it
#   OUTPUT    a folder that must not exist; gets bin/qemu-system-x86_64 and share/ with the machine's firmware
#
# Debian 12's own QEMU is too old for this machine, newer packages need a newer libc. Only what this machine needs is
# compiled. Needs no root; scripts/vm-packages.sh names the packages that must be installed.
#
# Environment: MESON_VERSION (of bookworm-backports), CACHE (default ~/.cache/acra-enclave: package indexes and the build
#   tree, up to 2 GB), JOBS (nproc), NICENESS (10), KEEP=1 keeps the build tree; those of debian-packages.sh.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/build-steps.sh
source "$HERE/build-steps.sh"
if (($# != 2)); then
  usage >&2
  exit 2
fi

VERSION=$1
MESON_VERSION=${MESON_VERSION:-1.7.0-1~bpo12+1}
SUITES='trixie(-security)?/main'
# Debian's, whatever comes first on PATH: distlib and setuptools are Debian packages.
PYTHON=/usr/bin/python3

CONFIGURE=(--target-list=x86_64-softmmu --without-default-features --enable-kvm --enable-tcg --enable-libcbor
  --enable-gnutls --enable-vhost-user --enable-fdt=system --disable-install-blobs --disable-docs --disable-tools
  --disable-guest-agent --disable-user)
# What the machine loads: qboot, and a boot ROM for the form of the kernel (linuxboot_dma for bzImage, pvh for ELF);
# kvmvapic with KVM. SeaBIOS plays no part, because the machine has no ACPI.
FIRMWARE=(qboot.rom linuxboot_dma.bin pvh.bin kvmvapic.bin)

start_build qemu "$2"
# shellcheck source=scripts/debian-packages.sh
source "$HERE/debian-packages.sh"

# The indexes are shared, build trees are not.
exec 9>"$CACHE/apt.lock"
flock 9
apt_setup
require_version qemu "$SUITES Sources" "$VERSION"
require_version qemu-system-data "$SUITES amd64" "$VERSION"
require_version meson 'bookworm-backports/main amd64' "$MESON_VERSION"
log "fetching the source of QEMU $VERSION, meson $MESON_VERSION and firmware"
cd "$TREE"
apt_get --download-only source "qemu=$VERSION" >&2
unpack meson "$MESON_VERSION" "$TREE/meson"
unpack qemu-system-data "$VERSION" "$TREE/data"
exec 9>&-

log 'unpacking'
# apt has checked the files against the archive's signed index already.
run "$TREE/unpack.log" dpkg-source --no-check -x ./*.dsc tree
# A request whose response buffer is not in the queue yet broke the device for good.
run "$TREE/patch.log" patch -d tree -p1 --fuzz=0 --input="$HERE/patches/qemu-virtio-nsm.patch"
# Debian's source lacks the sources of the ROMs.
printf 'roms = []\n' >tree/pc-bios/meson.build
mkdir tree/build
cd tree/build
export PYTHONPATH=$TREE/meson/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
log 'configuring'
run "$TREE/configure.log" ../configure --python="$PYTHON" --disable-download "${CONFIGURE[@]}"
log "compiling with $JOBS jobs (about 3 minutes on 2 cores)"
run "$TREE/ninja.log" ninja -j"$JOBS" qemu-system-x86_64

mkdir "$OUTPUT.new/bin" "$OUTPUT.new/share"
strip -o "$OUTPUT.new/bin/qemu-system-x86_64" qemu-system-x86_64
cp "${FIRMWARE[@]/#/$TREE/data/usr/share/qemu/}" "$OUTPUT.new/share/"
machines=$("$OUTPUT.new/bin/qemu-system-x86_64" -M help)
[[ $machines == *nitro-enclave* ]] || die 'this QEMU has no nitro-enclave machine'
mv "$OUTPUT.new" "$OUTPUT"
log "built QEMU $VERSION"
