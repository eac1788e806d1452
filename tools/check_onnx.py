#!/usr/bin/env python3
"""Holds models that are written as ONNX to onnxruntime.

    python tools/check_onnx.py [--capsnet target/release/capsnet] [--images 500] [WEIGHTS ..]

For each weights file: `capsnet convert` writes it as ONNX, onnxruntime runs that on the first test images, and what
`capsnet predict` says of the same images is to be the same within 1e-5. Needs numpy, onnxruntime and pillow.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile

import numpy
import onnxruntime

HERE = pathlib.Path(__file__).parent.parent


def idx(name, offset):
    data = (HERE / "data/mnist" / name).read_bytes()
    return numpy.frombuffer(gzip.decompress(data), dtype=numpy.uint8, offset=offset)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capsnet", default=HERE / "target/release/capsnet", type=pathlib.Path)
    parser.add_argument("--images", default=500, type=int)
    parser.add_argument("weights", nargs="*", type=pathlib.Path,
                        default=sorted((HERE / "weights").glob("*.safetensors")))
    arguments = parser.parse_args()
    arguments.capsnet = arguments.capsnet.resolve()
    pixels = idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[: arguments.images]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pictures = folder / "pixels"
        pictures.mkdir()
        for weights in arguments.weights:
            onnx = folder / f"{weights.stem}.onnx"
            subprocess.run([arguments.capsnet, "convert", weights, onnx], check=True, stdout=subprocess.DEVNULL)
            session = onnxruntime.InferenceSession(onnx)
            # In parts, as routing by EM holds all votes of those that it is shown.
            parts = [pixels[first:first + 50] for first in range(0, len(pixels), 50)]
            said = [session.run(None, {"pixels": part.astype(numpy.float32) / 255.0})[0] for part in parts]
            said = numpy.concatenate(said)
            model = json.loads(subprocess.run([arguments.capsnet, "info", weights, "--json"], check=True,
                                              stdout=subprocess.PIPE).stdout)["model"]
            ours = scores(arguments.capsnet, model, weights, pixels, folder)
            if session.get_modelmeta().custom_metadata_map["capsnet.scores"] == "logits":
                powers = numpy.exp(said - said.max(axis=1, keepdims=True))
                said = powers / powers.sum(axis=1, keepdims=True)
            difference = numpy.abs(said - ours).max()
            print(f"{weights}: {len(pixels)} images, largest difference {difference:.1e}")
            assert difference < 1e-5


def scores(capsnet, model, weights, pixels, folder):
    """What `capsnet predict` says of each image, as probabilities or lengths."""
    from PIL import Image

    paths = []
    for number, image in enumerate(pixels):
        path = folder / f"{number:05}.png"
        if not path.exists():
            Image.fromarray(image[0]).save(path)
        paths.append(path)
    # As they are; an older program knows no --prepare and does nothing to them.
    line = [capsnet, "predict", model, "--weights", weights, "--json", *paths]
    prepare = ["--prepare", "none"] if b"--prepare" in subprocess.run([capsnet, "predict", "--help"], check=True,
                                                                    stdout=subprocess.PIPE).stdout else []
    said = json.loads(subprocess.run(line + prepare, check=True, stdout=subprocess.PIPE).stdout)
    return numpy.array([entry["scores"] for entry in said])


if __name__ == "__main__":
    main()
