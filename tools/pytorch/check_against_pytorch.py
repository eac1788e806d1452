"""Holds the program `capsnet` to PyTorch on whole weights files.

    python check_against_pytorch.py --capsnet-bin target/release/capsnet --weights DIR

DIR is what `make_weights.py --out DIR` filled. For LeNet-5 and both CapsNet variants, this compares

- right answers on rotated test images with torchvision and PyTorch (at most 3 apart),
- the scores of ten PNG files (at most 1e-4 apart),
- the file that `capsnet convert` writes, which has to load strictly and hold the very same tensors,

and ends with PASS or FAIL and exit code 0 or 1. `--pytorch-only` stops after PyTorch's half, which is kept in DIR.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

import mnist
import pytorch_half
from pytorch_half import ANGLES, FORMATS, PREDICTED_IMAGES, RESAMPLES, SUBJECTS, Subject
from reference import parameter_count

MOST_ANSWERS_APART = 3
MOST_SCORE_APART = 1e-4


class Mismatch(Exception):
    """The program failed, broke its contract or disagreed with PyTorch."""


class Report:
    """Prints one line a comparison and remembers whether all of them held."""

    def __init__(self) -> None:
        self.failures = 0
        self.checks = 0

    def line(self, what: str, detail: str, holds: bool) -> None:
        self.checks += 1
        self.failures += not holds
        print(f"{what:<44} {detail:<52} {'ok' if holds else 'DIFFERS'}", flush=True)

    def attempt(self, what: str, check: Callable[[], None]) -> None:
        """Runs a check that reports its own lines; one that cannot be made counts as a failure."""
        try:
            check()
        except (Mismatch, LookupError, TypeError, ValueError, RuntimeError) as error:
            self.line(what, f"{type(error).__name__}: {error}", False)


def capsnet(binary: Path, *arguments: object) -> str:
    """Standard output of one run of the program."""
    command = [str(binary), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Mismatch(f"`{' '.join(command[1:3])}` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def check_rotations(report: Report, binary: Path, subject: Subject, file: Path, resample: str, expected: dict) -> None:
    """`expected` has PyTorch's right answers by angle."""
    angles = ",".join(map(str, ANGLES))
    printed = capsnet(
        binary, "test", subject.model, "--weights", file, "--data", mnist.folder(),
        f"--rotate={angles}", "--resample", resample, "--limit", subject.images, "--json",
    )  # fmt: skip
    answer = json.loads(printed)
    if answer["images"] != subject.images:
        raise Mismatch(f"tested {answer['images']} images instead of {subject.images}")
    count = parameter_count(subject.build())
    report.line(f"{file.name} {resample}", f"parameters {answer['parameters']}", answer["parameters"] == count)
    by_angle = {entry["rotate"]: entry for entry in answer["results"] if entry["rotate"] is not None}
    for angle in ANGLES:
        entry = by_angle[angle]
        if entry["resample"] != resample:
            raise Mismatch(f"{angle} degrees were resampled by {entry['resample']}, not {resample}")
        confusion = entry["confusion"]
        if sum(map(sum, confusion)) != subject.images or sum(confusion[k][k] for k in range(10)) != entry["correct"]:
            raise Mismatch(f"the confusion matrix at {angle} degrees does not add up")
        ours, theirs = entry["correct"], expected[str(angle)]
        detail = f"PyTorch {theirs:>5}  capsnet {ours:>5}  apart {ours - theirs:+d}"
        report.line(f"{file.name} {resample} {angle}", detail, abs(ours - theirs) <= MOST_ANSWERS_APART)


def check_scores(
    report: Report, binary: Path, subject: Subject, file: Path, images: list[Path], expected: list
) -> None:
    """`expected` has PyTorch's scores, one row an image."""
    answer = json.loads(capsnet(binary, "predict", subject.model, *images, "--weights", file, "--json"))
    if [Path(entry["image"]).name for entry in answer] != [image.name for image in images]:
        raise Mismatch("the predictions are not those of the given images in their order")
    ours = torch.tensor([entry["scores"] for entry in answer], dtype=torch.float64)
    theirs = torch.tensor(expected, dtype=torch.float64)
    if ours.shape != theirs.shape:
        raise Mismatch(f"scores of shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}")
    apart = (ours - theirs).abs().max().item()
    report.line(f"{file.name} scores", f"largest difference {apart:.1e}", apart <= MOST_SCORE_APART)
    predictions = [entry["class"] for entry in answer]
    agree = predictions == theirs.argmax(dim=1).tolist()
    report.line(f"{file.name} predictions", " ".join(map(str, predictions)), agree)


def check_round_trip(
    report: Report, binary: Path, subject: Subject, weights: Path, format_name: str, out: Path
) -> None:
    """The converted file loads strictly and holds what PyTorch saved, bit for bit."""
    original = subject.load(weights, format_name).state_dict()
    capsnet(binary, "convert", subject.file(weights, format_name), out)
    module = subject.build()
    module.load_state_dict(load_file(out), strict=True)
    converted = module.state_dict()
    changed = [name for name in original if not torch.equal(original[name], converted[name])]
    detail = f"changed: {', '.join(changed)}" if changed else f"{len(original)} tensors the same"
    report.line(f"{out.name} converted", detail, not changed)


def write_images(folder: Path) -> list[Path]:
    """The first upright test digits as grey PNG files."""
    pixels, _ = mnist.load("t10k")
    files = []
    for index in range(PREDICTED_IMAGES):
        files.append(folder / f"digit_{index}.png")
        Image.fromarray(pixels[index]).save(files[-1])
    return files


def check_subject(report: Report, binary: Path, subject: Subject, weights: Path, expected: dict, folder: Path) -> None:
    images = write_images(folder)
    for format_name in FORMATS:
        file = subject.file(weights, format_name)
        report.attempt(
            f"{file.name} scores",
            lambda f=file: check_scores(report, binary, subject, f, images, expected["scores"]),
        )
        out = folder / f"{file.stem}.safetensors"
        report.attempt(
            f"{out.name} converted",
            lambda f=format_name, o=out: check_round_trip(report, binary, subject, weights, f, o),
        )
    # Both formats hold the same tensors; the large networks are rotated with one of them only, to save time.
    for format_name in FORMATS if subject.model == "lenet5" else ["zip"]:
        file = subject.file(weights, format_name)
        for resample in RESAMPLES:
            report.attempt(
                f"{file.name} {resample}",
                lambda f=file, r=resample: check_rotations(report, binary, subject, f, r, expected["correct"][r]),
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capsnet-bin", type=Path, help="the program under check")
    parser.add_argument("--weights", type=Path, required=True, help="folder filled by make_weights.py")
    parser.add_argument("--only", choices=[subject.name for subject in SUBJECTS], help="check one model")
    parser.add_argument("--pytorch-only", action="store_true", help="measure PyTorch's half and stop")
    arguments = parser.parse_args()
    if arguments.capsnet_bin is None and not arguments.pytorch_only:
        parser.error("--capsnet-bin is needed, unless --pytorch-only is given")
    torch.set_num_threads(1)

    subjects = [subject for subject in SUBJECTS if arguments.only in (None, subject.name)]
    expected = pytorch_half.results(subjects, arguments.weights)
    if arguments.pytorch_only:
        print(json.dumps({subject.name: expected[subject.name]["correct"] for subject in subjects}, indent=1))
        return 0
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        for subject in subjects:
            check_subject(
                report, arguments.capsnet_bin, subject, arguments.weights, expected[subject.name], Path(folder)
            )
    print("PASS" if report.failures == 0 else f"FAIL: {report.failures} of {report.checks} comparisons")
    return 0 if report.failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
