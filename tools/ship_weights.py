#!/usr/bin/env python3
"""Puts the weights of a finished run into weights/, with how they were made and what they reach.

    python3 tools/ship_weights.py runs/capsnet-1 [--which last|best] [--name NAME] [--capsnet target/release/capsnet]

Writes weights/NAME.safetensors (half precision; NAME is the model unless said otherwise), NAME.json (command, seed, time, figures, measured on what was written),
and the run's metrics and curves beside them. Needs Python 3.11, no packages.
"""

import argparse
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

ANGLES = [-35, -23, -15, 15, 23, 30, 35, 45]


def shipped_config(run: Path, target: Path) -> Path:
    """Puts the run's settings beside its weights, but for the folder that its images lay in; `train --config` takes them."""
    shipped = target.with_suffix(".toml")
    lines = (run / "config.toml").read_text().splitlines(keepends=True)
    shipped.write_text("".join(line for line in lines if not line.startswith("data = ")))
    return shipped


def test(capsnet: Path, model: str, weights: Path, *flags: str) -> list[dict]:
    command = [capsnet, "test", model, "--weights", weights, "--json", *flags]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    keys = ("transform", "rotate", "resample", "accuracy", "correct", "loss")
    return [{key: result[key] for key in keys} for result in report["results"]]


def recovery(capsnet: Path, model: str, weights: Path) -> list[dict]:
    """How well poses tell the moves of the test images."""
    command = [capsnet, "test", model, "--weights", weights, "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["numbers"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--which", choices=["last", "best"], default="last")
    parser.add_argument("--name", help="of the files, where they aren't the model's usual weights")
    parser.add_argument("--capsnet", type=Path, default=Path("target/release/capsnet"))
    arguments = parser.parse_args()

    config = tomllib.loads((arguments.run / "config.toml").read_text())
    model = config["model"]["name"]
    name = arguments.name or model
    metrics = [json.loads(line) for line in (arguments.run / "metrics.jsonl").read_text().splitlines()]
    source = arguments.run / f"{arguments.which}.safetensors"
    # Through the link, where the file is one that is compiled into the library.
    target = Path(os.path.relpath((Path("weights") / f"{name}.safetensors").resolve()))
    subprocess.run([arguments.capsnet, "convert", "--half", source, target], check=True)

    rotations = "--rotate=" + ",".join(map(str, ANGLES))
    if model == "transforming-autoencoder":
        before, after = (recovery(arguments.capsnet, model, weights) for weights in (source, target))
        rounded, figures = {"figures_before_rounding_to_f16": before}, after
    else:
        rounded = {"accuracy_before_rounding_to_f16": test(arguments.capsnet, model, source)[0]["accuracy"]}
        figures = test(arguments.capsnet, model, target)
        figures += test(arguments.capsnet, model, target, rotations)
        figures += test(arguments.capsnet, model, target, "--rotate=15,-23,35", "--resample", "bilinear")
    card = {
        "model": model,
        "command": f"capsnet train --config {shipped_config(arguments.run, target)}",
        "which": arguments.which,
        "seed": config["seed"],
        "augment": config["augment"],
        "epochs": len(metrics),
        "seconds": round(sum(epoch["seconds"] for epoch in metrics), 1),
        "dtype": "f16",
        **rounded,
        "figures": figures,
    }
    target.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    shutil.copy(arguments.run / "metrics.jsonl", f"weights/{name}.metrics.jsonl")
    for curve in ("loss", "accuracy"):
        if (picture := arguments.run / f"{curve}.svg").exists():
            shutil.copy(picture, f"weights/{name}.{curve}.svg")


if __name__ == "__main__":
    main()
