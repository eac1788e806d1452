#!/usr/bin/env python3
"""Holds models that are written as ONNX to onnxruntime.

    python tools/check_onnx.py [--capsnet target/release/capsnet] [--images 500] [WEIGHTS ..]

For each weights file: `capsnet convert` writes it as ONNX, onnxruntime runs that on the first test images, and what
`capsnet predict` says of the same images is to be the same within 1e-5. A transforming auto-encoder, which predicts
nothing, is held to its formulas in NumPy. Needs numpy, onnxruntime and pillow.
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
            if {value.name for value in session.get_inputs()} == {"pixels", "move"}:
                difference = moved(session, weights, pixels)
                print(f"{weights}: {len(pixels)} images, largest difference {difference:.1e}")
                assert difference < 1e-5
                continue
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


def moved(session, weights, pixels):
    """The largest difference of a transforming auto-encoder's outputs from its formulas in double precision."""
    content = weights.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, about in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = about["data_offsets"]
            values = numpy.frombuffer(content[start + first:start + last], {"F32": "<f4", "F16": "<f2"}[about["dtype"]])
            tensors[name] = values.reshape(about["shape"]).astype(numpy.float64)

    def sigmoid(x):
        return 1 / (1 + numpy.exp(-x))

    capsules, numbers, units = tensors["pose.weight"].shape
    random = numpy.random.default_rng(1)
    moves = (random.uniform(-0.5, 0.5, (len(pixels), 6)) + [1, 0, 0, 0, 1, 0]).astype(numpy.float32)
    x = (pixels.astype(numpy.float32) / numpy.float32(255)).reshape(len(pixels), -1)
    seen = sigmoid(x @ tensors["recognition.weight"].T + tensors["recognition.bias"]).reshape(-1, capsules, units)
    presence = sigmoid(numpy.einsum("bcu,cu->bc", seen, tensors["presence.weight"]) + tensors["presence.bias"])
    pose = numpy.einsum("bcu,cnu->bcn", seen, tensors["pose.weight"]) + tensors["pose.bias"]
    if numbers == 2:
        after = pose + moves[:, None, [2, 5]]
    else:
        matrix = numpy.concatenate([moves.reshape(-1, 2, 3), numpy.tile([[[0.0, 0, 1]]], (len(moves), 1, 1))], axis=1)
        after = (matrix[:, None] @ pose.reshape(-1, capsules, 3, 3)).reshape(pose.shape)
    generated = sigmoid(numpy.einsum("bcn,cgn->bcg", after, tensors["generation.weight"]) + tensors["generation.bias"])
    image = (generated * presence[..., None]).reshape(len(x), -1) @ tensors["parts.weight"]
    image += presence @ tensors["parts.bias"]
    said = session.run(["image", "presence", "pose"], {"pixels": x.reshape(pixels.shape), "move": moves})
    return max(numpy.abs(one - other).max() for one, other in zip(said, (image, presence, pose)))


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
