#!/usr/bin/env python3
"""Keras weights in the layout of published capsule networks, converted and held to their forward pass in NumPy.

    python tools/test_keras_to_safetensors.py [--capsnet target/release/capsnet]

Writes `.h5` files with random weights as `model.save_weights` of Keras 2 lays them out, converts them, and compares what
`capsnet predict` says of ten digits with a transcription that follows Keras's conventions (channels last). Needs h5py,
numpy, safetensors, pillow.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

HERE = pathlib.Path(__file__).parent
random = numpy.random.default_rng(3)


def normal(scale, *shape):
    return (scale * random.standard_normal(shape)).astype(numpy.float32)


def conv(x, weight, bias, stride=1):
    """Images [N, H, W, C] by a kernel [h, w, in, out]."""
    windows = sliding_window_view(x, weight.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    return numpy.einsum("bhwcij,ijco->bhwo", windows, weight, optimize=True) + bias


def softmax(x, axis):
    powers = numpy.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def squash(x):
    squared = (x**2).sum(axis=-1, keepdims=True)
    return squared / (1 + squared) / numpy.sqrt(squared + 1e-7) * x


def squash_exponential(x):
    length = numpy.sqrt((x**2).sum(axis=-1, keepdims=True))
    return (1 - numpy.exp(-length)) * x / (length + 1e-20)


def write(path, layers):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for layer, weights in layers.items():
            group = file.create_group(layer)
            for name, array in weights.items():
                group.create_dataset(name if "/" in name else f"{layer}/{name}:0", data=array)


def decoder():
    widths = [(160, 12), (12, 20), (20, 784)]
    return {f"dense_{number}/{name}:0": array for number, (a, b) in enumerate(widths, 1)
            for name, array in (("kernel", normal(0.1, a, b)), ("bias", normal(0.1, b)))}


def xifengguo(path, images):
    channels, maps = 5, 3
    w1, b1 = normal(0.2, 9, 9, 1, channels), normal(0.1, channels)
    w2, b2 = normal(0.1, 9, 9, channels, 8 * maps), normal(0.1, 8 * maps)
    w = normal(0.7, 10, 36 * maps, 16, 8)
    write(path, {"input_1": {}, "conv1": {"kernel": w1, "bias": b1},
                 "primarycap_conv2d": {"kernel": w2, "bias": b2}, "primarycap_squash": {}, "digitcaps": {"W": w},
                 "capsnet": {}, "decoder": decoder()})
    u = squash(conv(numpy.maximum(conv(images, w1, b1), 0), w2, b2, 2).reshape(len(images), -1, 8))
    votes = numpy.einsum("bie,jide->bjid", u, w)
    logits = numpy.zeros(votes.shape[:3])
    for iteration in range(3):
        v = squash(numpy.einsum("bji,bjid->bjd", softmax(logits, 1), votes))
        if iteration < 2:
            logits += numpy.einsum("bjd,bjid->bji", v, votes)
    return numpy.sqrt((v**2).sum(axis=-1))


def efficient(path, images):
    sizes = [(5, 1, 6, 1), (3, 6, 8, 1), (3, 8, 8, 1), (3, 8, 16, 2)]
    layers, x = {"input_images": {}}, images
    for number, (side, before, after, stride) in enumerate(sizes):
        tail = f"_{number}" if number else ""
        w, b = normal(0.2, side, side, before, after), normal(0.1, after)
        gamma, beta, mean = 1 + normal(0.1, after), normal(0.1, after), normal(0.1, after)
        variance = 0.5 + normal(0.1, after) ** 2
        layers[f"conv2d{tail}"] = {"kernel": w, "bias": b}
        layers[f"batch_normalization{tail}"] = {"gamma": gamma, "beta": beta, "moving_mean": mean,
                                                "moving_variance": variance}
        x = numpy.maximum(conv(x, w, b, stride), 0)
        x = gamma * (x - mean) / numpy.sqrt(variance + 1e-3) + beta
    kernel, bias = normal(0.2, 9, 9, 1, 16), normal(0.1, 16)
    w, b = normal(0.7, 10, 2, 8, 16), normal(0.1, 10, 2, 1)
    layers["primary_caps"] = {"primary_caps/conv2d_4/kernel:0": kernel, "primary_caps/conv2d_4/bias:0": bias}
    layers["fc_caps"] = {"W": w, "b": b}
    write(path, layers | {"decoder": decoder()})
    s = (x * kernel[:, :, 0]).sum(axis=(1, 2)) + bias
    u = squash_exponential(s.reshape(len(images), 2, 8))
    votes = numpy.einsum("bie,jied->bjid", u, w)
    agreement = numpy.einsum("bjid,bjkd->bjik", votes, votes) / numpy.sqrt(16.0)
    couplings = softmax(agreement.sum(axis=-1, keepdims=True), 1) + b
    v = squash_exponential((couplings * votes).sum(axis=2))
    return numpy.sqrt((v**2).sum(axis=-1))


def predicted(capsnet, model, weights, pictures):
    helped = subprocess.run([capsnet, "predict", "--help"], check=True, stdout=subprocess.PIPE).stdout
    prepare = ["--prepare", "none"] if b"--prepare" in helped else []
    line = [capsnet, "predict", model, "--weights", weights, "--json", *prepare, *pictures]
    return json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capsnet", default=HERE / "../target/release/capsnet", type=pathlib.Path)
    capsnet = parser.parse_args().capsnet.resolve()
    data = gzip.decompress((HERE / "../data/mnist/t10k-images-idx3-ubyte.gz").read_bytes())
    pixels = numpy.frombuffer(data, dtype=numpy.uint8, offset=16)[: 10 * 784].reshape(10, 28, 28)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pictures = [folder / f"{number}.png" for number in range(10)]
        for path, image in zip(pictures, pixels):
            Image.fromarray(image).save(path)
        for model, make in (("capsnet", xifengguo), ("efficient-capsnet", efficient)):
            keras, weights = folder / f"{model}.h5", folder / f"{model}.safetensors"
            expected = make(keras, pixels[..., None] / 255.0)
            converter = HERE / "keras_to_safetensors.py"
            subprocess.run([sys.executable, converter, keras, weights], check=True, stdout=subprocess.DEVNULL)
            said = numpy.array([entry["scores"] for entry in predicted(capsnet, model, weights, pictures)])
            difference = numpy.abs(said - expected).max()
            print(f"{model}: scores {expected.min():.3f} to {expected.max():.3f}, largest difference {difference:.1e}")
            assert difference < 1e-4


if __name__ == "__main__":
    main()
