#!/usr/bin/env bash
# Builds the program as one static file and packs it with its manual pages, completions and licences, those of the
# crates that it is built of among them, and a bill of materials (CycloneDX).
#
#     tools/release.sh [OUT]
#
# Writes OUT/capsnet-VERSION-TARGET.tar.gz and OUT/SHA256SUMS (OUT is `dist` unless named). Needs
# `rustup target add x86_64-unknown-linux-musl`, musl-gcc (Debian: musl-tools) and Python 3.11. TARGET=.. builds for
# another target.
# CAPSNET_WEIGHTS_URL=.. is the address that `capsnet fetch weights` of this build asks.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
target=${TARGET:-x86_64-unknown-linux-musl}
case $target in
    *-musl) export CC_x86_64_unknown_linux_musl=${CC_x86_64_unknown_linux_musl:-musl-gcc} ;;
esac

cargo build --release --locked --target "$target" -p capsnet-cli
program=${CARGO_TARGET_DIR:-target}/$target/release/capsnet
version=$("$program" --version | cut -d' ' -f2)
name=capsnet-$version-$target
pack=$(mktemp -d)
trap 'rm -rf "$pack"' EXIT
mkdir -p "$pack/$name/completions" "$out"
cp "$program" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$pack/$name/"
strip "$pack/$name/capsnet" 2>/dev/null || true
"$program" man --out "$pack/$name/man/man1" > /dev/null
for shell in bash zsh fish; do
    "$program" completions "$shell" > "$pack/$name/completions/capsnet.$shell"
done
python3 tools/third_party.py notices "$target" > "$pack/$name/THIRD_PARTY_NOTICES"
python3 tools/third_party.py sbom "$target" > "$pack/$name/capsnet.cdx.json"
# Sorted, without owners and with the commit's time: the same bytes from the same files.
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="$(git log -1 --format=%cI)" \
    -C "$pack" -cf - "$name" | gzip -n9 > "$out/$name.tar.gz"
(cd "$out" && sha256sum -- *.tar.gz > SHA256SUMS)
echo "wrote $out/$name.tar.gz"
