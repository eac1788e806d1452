#!/usr/bin/env python3
"""What others wrote that is in the program, from `cargo metadata`: their notices, and a bill of materials.

    tools/third_party.py notices [TARGET] > THIRD_PARTY_NOTICES
    tools/third_party.py sbom [TARGET] > capsnet.cdx.json

The notices are the licence texts that the crates bring, each once, after the crates that it is of. The bill is
CycloneDX 1.5. Both are the same bytes for the same lock file. Needs Python 3.11 and nothing else.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

PROGRAM = "capsnet-cli"
ROOT = Path(__file__).resolve().parent.parent
TEXT = re.compile(r"^(un)?(licen[cs]e|copying|copyright|notice|patents)", re.IGNORECASE)
# Where C that a crate brings along may lie, from the crate's folder.
DEPTH = 3


def cargo(command, target, option):
    """What a command of Cargo prints about the program for a target, or for this machine."""
    words = ["cargo", command, "--locked", "--manifest-path", str(ROOT / "Cargo.toml")]
    words += [option, target] if target else []
    return lambda *more: subprocess.run([*words, *more], check=True, capture_output=True, text=True).stdout


def crates(target):
    """All packages whose code the program has, and which needs which, by their ids; the program itself first."""
    metadata = json.loads(cargo("metadata", target, "--filter-platform")("--format-version", "1"))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    # The metadata has what any feature could ask for, the tree what is built; neither tests nor macros are in it.
    tree = cargo("tree", target, "--target")
    lines = tree("-p", PROGRAM, "-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
    built = {tuple(line.split(" ")[:2]) for line in lines.splitlines() if line}
    inside = {of for of, package in packages.items() if (package["name"], f"v{package['version']}") in built}
    needs = {of: sorted(dep["pkg"] for dep in nodes[of]["deps"] if dep["pkg"] in inside) for of in inside}
    first = next(of for of in inside if packages[of]["name"] == PROGRAM)
    return packages, first, needs


def title(package):
    return f"{package['name']} {package['version']}"


def texts(package):
    """The licence texts that a package brings."""
    folder = Path(package["manifest_path"]).parent
    named = {folder / package["license_file"]} if package["license_file"] else set()
    within = (path for path in folder.rglob("*") if len(path.relative_to(folder).parts) <= DEPTH)
    found = sorted(named | {path for path in within if TEXT.match(path.name) and path.suffix != ".rs"})
    lines = (path.read_text("utf-8", "replace").strip() for path in found if path.is_file())
    return [line.replace("\r\n", "\n") for line in lines if line]


def notices(packages, first, needs):
    others = sorted((packages[of] for of in needs if packages[of]["source"]), key=title)
    of_text, without = {}, []
    for package in others:
        found = texts(package)
        for text in found:
            of_text.setdefault(text, []).append(package)
        if not found:
            without.append(package)
    print(f"{packages[first]['name']} is built of the following crates, under the licences that they name.\n")
    for package in others:
        print(f"{title(package)}: {package['license'] or 'see its text'}, {package['repository'] or 'crates.io'}")
    if without:
        print("\nThese bring no text of their licence; it is that of others below:", end=" ")
        print(", ".join(map(title, without)))
    for text, owners in sorted(of_text.items(), key=lambda item: title(item[1][0])):
        print("\n" + "-" * 79)
        print("\n".join(map(title, owners)))
        print("-" * 79 + "\n")
        print(text)


def bill(packages, first, needs):
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    sums = {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}

    def purl(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        entry = {
            "type": "application" if package["id"] == first else "library",
            "bom-ref": purl(package),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(package),
        }
        if package["license"]:
            # Cargo took a slash for OR once.
            entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := sums.get((package["name"], package["version"])):
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return entry

    others = sorted((packages[of] for of in needs if of != first), key=title)
    graph = [
        {"ref": purl(packages[of]), "dependsOn": sorted(purl(packages[other]) for other in others_of)}
        for of, others_of in needs.items()
    ]
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(packages[first])},
        "components": [component(package) for package in others],
        "dependencies": sorted(graph, key=lambda entry: entry["ref"]),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    content["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    json.dump(content, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    forms = {"notices": notices, "sbom": bill}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in forms:
        sys.exit(__doc__)
    forms[sys.argv[1]](*crates(sys.argv[2] if len(sys.argv) == 3 else None))
