#!/usr/bin/env python3
"""Turns Keras weights of published capsule networks into safetensors that capsnet loads.

    python tools/keras_to_safetensors.py weights.h5 weights.safetensors

Reads what `model.save_weights` and `model.save` of Keras 2 write (.h5) and the `model.weights.h5` inside a `.keras`
archive. Knows two networks, which it tells apart by their tensors:

- CapsNet of XifengGuo/CapsNet-Keras: `conv1`, `primarycap_conv2d`, `digitcaps` (W), a decoder of three dense layers;
- Efficient-CapsNet of EscVM/Efficient-CapsNet: four convolutions with batch norm, a depthwise one, the class capsules (W
  and b), a decoder of three dense layers.

A convolution's kernel is [height, width, in, out] there and [out, in, height, width] here, a dense kernel [in, out] and
[out, in]. XifengGuo's primary capsule i is at position i // maps, map i % maps, and its coordinates are neighbours among
the channels; ours is at map i // positions, and a coordinate has all maps side by side. Needs h5py, numpy, safetensors.
"""

import argparse
import io
import re
import zipfile

import h5py
import numpy
from safetensors.numpy import save_file


def datasets(path):
    """All arrays of a file by their paths, in the order of the layers."""
    source = path
    if zipfile.is_zipfile(path):
        source = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
    found = {}

    def note(name, item):
        # A visit ends as soon as something is returned.
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(source, "r") as file:
        file.visititems(note)
        root = file["model_weights"] if "model_weights" in file else file
        layers = [name.decode() if isinstance(name, bytes) else name for name in root.attrs.get("layer_names", [])]
    # What an optimiser keeps of each weight is none.
    found = {name: array for name, array in found.items() if "optimizer" not in name}

    def place(name):
        parts = name.split("/")
        at = next((layers.index(part) for part in parts if part in layers), len(layers))
        numbers = [int(number) for number in re.findall(r"(\d+)", name)]
        return (at, re.sub(r"\d+", "", name).replace("_/", "/"), numbers)

    return sorted(found.items(), key=lambda item: place(item[0]))


def conv(kernel):
    return numpy.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def split(arrays):
    """Kernels of convolutions and of dense layers, each with the biases in order, and what else there is."""
    convs, dense, biases, rest = [], [], [], []
    for name, array in arrays:
        leaf = name.split("/")[-1].split(":")[0]
        if array.ndim == 4 and leaf in ("kernel", "depthwise_kernel", "0"):
            convs.append(array)
        elif array.ndim == 2 and leaf in ("kernel", "0"):
            dense.append(array)
        elif array.ndim == 1 and leaf in ("bias", "1"):
            biases.append(array)
        else:
            rest.append((leaf, array))
    return convs, dense, biases, rest


def decoder(dense, biases):
    """A decoder of three layers, if there is one; the biases are those of its widths."""
    if len(dense) != 3:
        return {}
    # 160 -> 512 -> 1024 -> 784, in the order in which they fit one another.
    first = next(kernel for kernel in dense if not any(kernel.shape[0] == other.shape[1] for other in dense))
    chain = [first]
    while len(chain) < 3:
        chain.append(next(kernel for kernel in dense if kernel.shape[0] == chain[-1].shape[1]))
    tensors = {}
    for number, kernel in enumerate(chain):
        bias = next(bias for bias in reversed(biases) if bias.shape == (kernel.shape[1],))
        tensors[f"decoder.{2 * number}.weight"] = numpy.ascontiguousarray(kernel.T)
        tensors[f"decoder.{2 * number}.bias"] = bias
    return tensors


def capsnet(convs, dense, biases, rest):
    """XifengGuo's: W is [J, I, D, E]."""
    (w,) = [array for _, array in rest if array.ndim == 4]
    first, primary = convs
    upper, lower, _, coordinates = w.shape
    maps = primary.shape[3] // coordinates
    positions = lower // maps
    # channel m * E + d there, d * maps + m here, as one convolution a coordinate
    kernel = conv(primary).reshape(maps, coordinates, *conv(primary).shape[1:])
    bias = biases[1].reshape(maps, coordinates)
    tensors = {"conv1.weight": conv(first), "conv1.bias": biases[0]}
    for d in range(coordinates):
        tensors[f"primary_capsules.capsules.{d}.weight"] = numpy.ascontiguousarray(kernel[:, d])
        tensors[f"primary_capsules.capsules.{d}.bias"] = numpy.ascontiguousarray(bias[:, d])
    votes = w.reshape(upper, positions, maps, w.shape[2], coordinates).transpose(0, 2, 1, 4, 3)
    tensors["digit_capsules.route_weights"] = numpy.ascontiguousarray(
        votes.reshape(upper, lower, coordinates, w.shape[2]))
    return tensors | decoder(dense, biases[2:])


def efficient_capsnet(convs, dense, biases, rest):
    """EscVM's: W is [J, I, E, D], b [J, I, 1]."""
    plain = [kernel for kernel in convs if kernel.shape[2] > 1 or kernel is convs[0]][:4]
    depthwise = next(kernel for kernel in convs if not any(kernel is other for other in plain))
    tensors = {}
    for number, kernel in enumerate(plain):
        tensors[f"conv{number + 1}.weight"] = conv(kernel)
        tensors[f"conv{number + 1}.bias"] = biases[number]
    # [height, width, channels, 1] of a depthwise layer, or [height, width, 1, channels] of groups.
    kernel = depthwise if depthwise.shape[2] == 1 else depthwise.transpose(0, 1, 3, 2)
    tensors["primary.weight"] = conv(kernel)
    tensors["primary.bias"] = biases[4]
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    for leaf, name in names.items():
        for number, array in enumerate(array for found, array in rest if found == leaf):
            tensors[f"bn{number + 1}.{name}"] = array
            tensors[f"bn{number + 1}.num_batches_tracked"] = numpy.array(0, dtype=numpy.int64)
    (w,) = [array for _, array in rest if array.ndim == 4]
    (b,) = [array for _, array in rest if array.ndim == 3]
    tensors["digit_capsules.weight"] = w
    tensors["digit_capsules.bias"] = b.reshape(b.shape[:2])
    return tensors | decoder(dense, biases[5:])


def converted(path):
    arrays = datasets(path)
    convs, dense, biases, rest = split(arrays)
    shapes = sorted(array.ndim for _, array in rest)
    if len(convs) == 2 and shapes.count(4) == 1:
        return capsnet(convs, dense, biases, rest)
    if len(convs) == 5 and shapes.count(4) == 1 and shapes.count(3) == 1:
        return efficient_capsnet(convs, dense, biases, rest)
    listed = "".join(f"\n  {name} {' x '.join(map(str, array.shape))}" for name, array in arrays)
    raise SystemExit(f"{path}: neither XifengGuo's CapsNet nor Efficient-CapsNet; it has{listed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    arguments = parser.parse_args()
    tensors = {name: tensor.copy(order="C") for name, tensor in converted(arguments.input).items()}
    save_file(tensors, arguments.output)
    print(f"wrote {arguments.output}: {len(tensors)} tensors; `capsnet info {arguments.output}` says what they are")


if __name__ == "__main__":
    main()
