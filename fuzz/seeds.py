#!/usr/bin/env python3
"""Makes the seeds of the corpus: small files of each kind, from the fixtures of the tests and by hand.

    fuzz/seeds.py

Inputs that a fuzzer found and that were mended lie beside them under other names.
"""

import gzip
import io
import json
import pickletools
import struct
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CRATES = HERE.parent / "crates"
WEIGHTS = CRATES / "capsnet-weights" / "tests" / "fixtures"
SMALL = 4096


def seed(target, name, content):
    content = content.encode() if isinstance(content, str) else content
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def safetensors(tensors, metadata=None):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def npy(descr, shape, content):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content


def archive(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def weights():
    for path in sorted(WEIGHTS.iterdir()):
        content = path.read_bytes()
        if path.suffix not in (".pt", ".safetensors") or len(content) > SMALL:
            continue
        if path.stem in ("mixed_zip", "module_zip", "safe_deflated", "mixed_legacy", "mixed"):
            seed("weights", path.name, content)
        if content.startswith(b"PK"):
            with zipfile.ZipFile(path) as file:
                name = next((name for name in file.namelist() if name.endswith("data.pkl")), None)
                if name and len(file.read(name)) < 1500:
                    seed("torch_zip", path.stem, b"\0" + file.read(name))
        elif content.startswith(b"\x80\x02\x8a\nl\xfc") and len(content) < 1500:
            # What comes after the magic number, the protocol and the machine.
            rest = io.BytesIO(content)
            for _ in range(3):
                for _ in pickletools.genops(rest):
                    pass
            seed("torch_legacy", path.stem, rest.read())
    header = {"__metadata__": {"format": "pt"}, "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    header["b"] = {"dtype": "I64", "shape": [], "data_offsets": [24, 32]}
    seed("safetensors", "two", b"\x08" + json.dumps(header).encode())
    seed("safetensors", "half", b'\x01{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}')
    for number in range(4):
        seed("pickle", f"drawn-{number}", bytes((number * 41 + place * 29) % 256 for place in range(200)))


def data():
    images = struct.pack(">4B3I", 0, 0, 8, 3, 2, 3, 3) + bytes(range(18))
    seed("idx", "images", images)
    seed("idx", "labels", struct.pack(">4BI", 0, 0, 8, 1, 3) + bytes([0, 1, 2]))
    seed("idx", "columns", struct.pack(">4B2I", 0, 0, 12, 2, 2, 2) + struct.pack(">4i", 1, 2, 3, 4))
    seed("idx", "packed", gzip.compress(images, mtime=0) + b"\0\0")
    for path in sorted((CRATES / "capsnet-data" / "tests" / "fixtures" / "affnist").glob("*.mat")):
        if path.stat().st_size <= SMALL:
            seed("mat", path.name, path.read_bytes())
    for path in sorted((CRATES / "capsnet-data" / "tests" / "pictures").iterdir()):
        if path.suffix in (".png", ".jpg", ".gif", ".bmp", ".webp", ".tiff") and path.stat().st_size <= SMALL:
            seed("picture", path.name, path.read_bytes())
    bitmap = b"BM" + struct.pack("<IHHI", 70, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, 24, 0, 16, 0, 0, 0, 0)
    seed("picture", "two.bmp", bitmap + bytes(range(16)))
    seed("picture", "dot.gif", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;")
    rows = "label," + ",".join(f"pixel{number}" for number in range(4))
    rows += "\n" + "\n".join(f"{label},{label},2,3,255" for label in (0, 1, 0, 1))
    seed("csv", "kaggle", rows)
    seed("csv", "bare", "0,1,2,3,4\n1,5,6,7,8\n")
    seed("csv", "words", "label,a,b,c,d\ncat,1,2,3,4\ndog,5,6,7,8\n")
    labels = npy("|u1", "(4,)", bytes([0, 1, 0, 1]))
    pictures = npy("|u1", "(4, 3, 3)", bytes(36))
    seed("npz", "divided", archive({"x_train.npy": pictures, "y_train.npy": labels, "x_test.npy": pictures,
                                    "y_test.npy": labels}))
    seed("npy", "images", b"\0" + pictures)
    seed("npy", "colours", b"\0" + npy("|u1", "(4, 3, 3, 3)", bytes(108)))
    seed("npy", "labels", b"\1" + npy("<i8", "(4, 1)", struct.pack("<4q", 0, 1, 0, 1)))


def text():
    for number, line in enumerate(["none", "rotate=-30..30,translate=2", "scale=0.5..2|mirror=0.5", "noise=20,salt=0.1",
                                   "elastic=8:4,resample=bilinear", "normalize=0.1307:0.3081", "occlude=8,tilt=5",
                                   "shear=0.1:0.2,squeeze=3,erase=4,flip=0.5,transpose=1,shift-in-margin"]):
        seed("transform", f"line-{number}", line)
    for number, line in enumerate(["rotate=-180..180:5", "scale=0.5,1,2", "noise=0..50:10", "translate=0..7:1"]):
        seed("values", f"line-{number}", line)
    for number, line in enumerate(["dynamic:3", "em:2", "self-attention", "constant", "exponential:0.97:5e-5", "cosine",
                                   "near-mean", "affnist", "tutorial", "random:7", "auto"]):
        seed("names", f"name-{number}", line)
    for number, line in enumerate(["http://127.0.0.1:8000/mnist/", "https://user:word@[::1]:443", "file:///etc"]):
        seed("address", f"url-{number}", line)
    seed("settings", "capsnet", "\1epochs=3\nbatch_size=8\naugment=rotate=-5..5\nmodel.routing=dynamic:2\nlimit=100")
    seed("settings", "none", "\0patience=none\nschedule=cosine\nseed=7\nheld_out=last")
    seed("config", "part", 'epochs = 3\nbatch_size = 8\n[model]\nname = "lenet5"\n')
    seed("config", "protocol", 'protocol = "affnist"\nlearning_rate = 1e-3\n[adam]\nbeta1 = 0.9\n[model]\nname = "capsnet"\n')
    for path in sorted((HERE.parent / "studies").glob("*.toml")):
        if path.stat().st_size <= SMALL:
            seed("study", path.name, path.read_bytes())
    seed("study", "same", '[defaults]\nseeds = [1, 2]\n[[variant]]\nname = "a"\nmodel = "mlp"\n[[variant]]\nname = "b"\n'
                          'model = "cnn"\nsame-parameters-as = "a"\n[[variant]]\nname = "c"\nweights-of = "a"\n')
    for number in range(3):
        seed("keys", f"drawn-{number}", bytes((number * 53 + place * 31) % 256 for place in range(120)))


def models():
    votes = struct.pack("<12f", *range(12))
    tensors = {"u_hat": ("F32", [1, 2, 3, 2], votes), "activation": ("F32", [1, 3], struct.pack("<3f", 0, 0.5, 1))}
    for number in range(4):
        seed("votes", f"algorithm-{number}", bytes([number]) + safetensors(tensors))
    record = CRATES / "capsnet-measure" / "tests" / "fixtures" / "sweep_0_1.json"
    if record.stat().st_size <= 4 * SMALL:
        seed("sweep", "of-0.1", record.read_bytes())
    epoch = {"epoch": 1, "step": 10, "seconds": 0.5, "learning_rate": 0.001, "train_loss": 2.3, "train_accuracy": 0.1,
             "validation_loss": 2.2, "validation_accuracy": 0.2, "best": True}
    step = {"step": 1, "loss": 2.3, "learning_rate": 0.001, "gradient_norm": 1.5, "images_per_second": 100.0}
    seed("run", "lines", json.dumps(epoch) + "\n" + json.dumps(step) + "\n")
    for number in range(6):
        seed("checkpoint", f"drawn-{number}", bytes((number * 67 + place * 23) % 256 for place in range(24 + number)))
    pixels = json.dumps([0] * 784)
    seed("lab", "lab", "lab\n{}")
    seed("lab", "digit", 'digit\n{"index":3}')
    seed("lab", "predict", f'predict\n{{"model":0,"pixels":{pixels},"transform":"rotate=10"}}')
    seed("lab", "doorway", 'doorway\n{"parts":[],"iterations":3}')
    seed("lab", "prepare", 'prepare\n{"width":2,"height":2,"levels":[0,255,0,9]}')
    seed("paths", "up", "../secret\n../../secret.png")
    seed("paths", "sound", "r\nreconstruction-0.png")
    seed("onnx", "empty-graph", b"\x08\x08\x3a\x06\x0a\x00\x12\x02g0\x42\x02\x10\x0f")


if __name__ == "__main__":
    weights(), data(), text(), models()
