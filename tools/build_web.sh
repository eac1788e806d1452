#!/usr/bin/env bash
# Builds the lab without a server: a folder of static files for any host.
#
#     tools/build_web.sh [OUT] [REPORTS]
#     python3 -m http.server --directory dist/web
#
# OUT is `dist/web` unless named. REPORTS is a folder whose pages (of `capsnet sweep`, `equivariance`, `study`, `draw`)
# are to be shown under Measures. Needs `rustup target add wasm32-unknown-unknown`, and wasm-bindgen in the version of
# Cargo.lock, which is installed into the target folder if it isn't there.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist/web}
reports=${2:-}
target=${CARGO_TARGET_DIR:-target/web}
export CARGO_TARGET_DIR=$target

wanted=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
bindgen=wasm-bindgen
if [ "$("$bindgen" --version 2>/dev/null)" != "wasm-bindgen $wanted" ]; then
    bindgen=$target/tools/bin/wasm-bindgen
    if [ "$("$bindgen" --version 2>/dev/null)" != "wasm-bindgen $wanted" ]; then
        cargo install wasm-bindgen-cli --version "$wanted" --bin wasm-bindgen --root "$target/tools"
    fi
fi

# Every browser that has module workers' imports has simd128 too.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+simd128" cargo build --release --locked \
    --target wasm32-unknown-unknown -p capsnet-web \
    --config 'profile.release.codegen-units=1' --config 'profile.release.panic="abort"' \
    --config 'profile.release.strip=true'

mkdir -p "$out/weights"
cp crates/capsnet-lab/page/*.{html,css,js,svg} "$out/"
rm "$out/backend.js"
# After the page: these take the place of the server's.
cp crates/capsnet-web/page/*.js "$out/"
"$bindgen" --target web --no-typescript --out-dir "$out" \
    "$target/wasm32-unknown-unknown/release/capsnet_web.wasm"
cp weights/capsnet.safetensors weights/capsnet.json "$out/weights/"

# Reports go along as they are, with a list of them for the page.
echo '[]' > "$out/results.json"
if [ -n "$reports" ]; then
    (cd "$reports" && find . -type f ! -path '*/.*' -regex '.*\.\(html\|svg\|png\|csv\|md\|json\)' -print0) \
        | while IFS= read -r -d '' file; do
            install -D -m 644 "$reports/$file" "$out/results/$file"
        done
    python3 - "$out" <<'LIST'
import html, json, pathlib, re, sys

out = pathlib.Path(sys.argv[1])
found = []
for page in sorted((out / "results").rglob("*.html")):
    title = re.search("<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.S)
    path = page.relative_to(out / "results").as_posix()
    found.append({"path": path, "title": html.unescape(title[1]) if title else path, "bytes": page.stat().st_size,
                  "sweep": page.with_name("sweep.json").is_file()})
(out / "results.json").write_text(json.dumps(found))
LIST
fi

first=$(find "$out" -maxdepth 1 -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
wasm=$(wc -c < "$out/capsnet_web_bg.wasm")
packed=$(gzip -9 < "$out/capsnet_web_bg.wasm" | wc -c)
echo "wrote $out: a first visit reads $first bytes, $wasm of them WebAssembly ($packed gzipped);"
echo "CapsNet's weights are $(wc -c < "$out/weights/capsnet.safetensors") bytes more for whoever asks for them"
