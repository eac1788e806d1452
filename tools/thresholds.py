#!/usr/bin/env python3
"""How many digits and how much junk `capsnet predict` recognises, at its thresholds and at others.

    python tools/thresholds.py [--capsnet target/release/capsnet] [--digits 1500] [--keep FOLDER]

Digits are training digits of MNIST, dark on pages of many kinds, through the preparation. Junk is pages of the same
kinds with nothing on them, and with things that are no digits: scribbles, dots, crosses, textures, shadows, letters.
For every model that comes with capsnet it prints the score that 1 % of the rightly read digits stay below, and the
share of the junk that is refused. Needs numpy and pillow; everything is drawn by seed 1.
"""

import argparse
import collections
import gzip
import json
import pathlib
import subprocess
import tempfile

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = pathlib.Path(__file__).parent.parent
MODELS = ["lenet5", "capsnet", "equivariant-capsnet", "em-capsnet"]
SIDE = 400


def idx(name, offset):
    data = (HERE / "data/mnist" / name).read_bytes()
    return numpy.frombuffer(gzip.decompress(data), dtype=numpy.uint8, offset=offset)


class Papers:
    """Grounds, as arrays of grey in 0..1, each by its name."""

    def __init__(self, rng):
        self.rng = rng
        y, x = numpy.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
        self.x, self.y = x, y

    def white(self):
        return numpy.ones((SIDE, SIDE))

    def vignette(self):
        return 0.9 * (1 - self.rng.uniform(0.6, 1.3) * (self.x**2 + self.y**2))

    def gradient(self):
        return numpy.clip(self.rng.uniform(0.6, 0.9) + self.rng.uniform(-0.5, 0.5) * self.along(), 0.1, 1)

    def shadow(self):
        soft = self.rng.uniform(0.003, 0.1)
        inside = numpy.clip((self.along() - self.rng.uniform(-0.3, 0.3)) / soft + 0.5, 0, 1)
        return 0.85 - self.rng.uniform(0.2, 0.45) * inside

    def noise(self):
        level = self.rng.uniform(0.02, 0.12)
        return self.rng.uniform(0.4, 0.8) + level * self.rng.standard_normal((SIDE, SIDE))

    def squared(self):
        return self.lines(both=True)

    def ruled(self):
        return self.lines(both=False)

    def lines(self, both):
        apart, wide = self.rng.integers(20, 50), self.rng.integers(1, 3)
        lean = self.rng.uniform(-0.02, 0.02)
        column, row = numpy.meshgrid(numpy.arange(SIDE), numpy.arange(SIDE))
        on = (row + lean * column) % apart < wide
        if both:
            on |= (column - lean * row) % apart < wide
        return numpy.where(on, self.rng.uniform(0.45, 0.8), 0.95)

    def along(self):
        angle = self.rng.uniform(0, 2 * numpy.pi)
        return self.x * numpy.cos(angle) + self.y * numpy.sin(angle)


PAPERS = ["white", "vignette", "gradient", "shadow", "noise", "squared", "ruled"]


class Marks:
    """Ink, as arrays of 0..1, each by its name."""

    def __init__(self, rng):
        self.rng = rng

    def canvas(self):
        image = Image.new("L", (SIDE, SIDE), 0)
        return image, ImageDraw.Draw(image)

    def points(self, count, low=60, high=340):
        return [tuple(point) for point in self.rng.uniform(low, high, (count, 2))]

    def scribble(self):
        image, draw = self.canvas()
        steps = numpy.cumsum(self.rng.standard_normal((60, 2)) * 25, axis=0)
        steps = 60 + 280 * (steps - steps.min(0)) / numpy.ptp(steps, axis=0)
        draw.line([tuple(point) for point in steps], fill=255, width=int(self.rng.integers(6, 18)), joint="curve")
        return image

    def dots(self):
        image, draw = self.canvas()
        for x, y in self.points(int(self.rng.integers(8, 30))):
            size = self.rng.uniform(4, 14)
            draw.ellipse([x - size, y - size, x + size, y + size], fill=255)
        return image

    def zigzag(self):
        image, draw = self.canvas()
        count = int(self.rng.integers(6, 12))
        points = [(60 + 280 * k / count, self.rng.uniform(80, 320)) for k in range(count + 1)]
        draw.line(points, fill=255, width=int(self.rng.integers(8, 20)))
        return image

    def grid(self):
        image, draw = self.canvas()
        for k in range(4):
            at = 80 + 80 * k
            draw.line([(at, 80), (at, 320)], fill=255, width=12)
            draw.line([(80, at), (320, at)], fill=255, width=12)
        return image

    def star(self):
        image, draw = self.canvas()
        turn, rays = self.rng.uniform(0, 6), int(self.rng.integers(4, 9))
        for k in range(rays):
            angle = turn + 2 * numpy.pi * k / rays
            draw.line([(200, 200), (200 + 120 * numpy.cos(angle), 200 + 120 * numpy.sin(angle))], fill=255, width=14)
        return image

    def blot(self):
        image, draw = self.canvas()
        for x, y in self.points(6, 120, 280):
            draw.ellipse([x - 60, y - 60, x + 60, y + 60], fill=255)
        return image

    def letter(self):
        image, draw = self.canvas()
        letter = "AEFHKMNPRWX&%#@"[int(self.rng.integers(15))]
        draw.text((200, 200), letter, fill=255, font=ImageFont.load_default(220), anchor="mm")
        return image

    def texture(self):
        coarse = self.rng.uniform(0, 255, (12, 12)).astype(numpy.uint8)
        return Image.fromarray(coarse).resize((SIDE, SIDE), Image.BICUBIC)

    def cloth(self):
        y, x = numpy.mgrid[0:SIDE, 0:SIDE]
        waves = numpy.sin(x / self.rng.uniform(4, 20)) * numpy.sin(y / self.rng.uniform(4, 20))
        return Image.fromarray((127 * (waves + 1)).astype(numpy.uint8))


MARKS = ["scribble", "dots", "zigzag", "grid", "star", "blot", "letter", "texture", "cloth"]


def page(paper, ink, rng):
    grey = paper * (1 - ink) + rng.uniform(0, 0.3) * paper * ink + 0.01 * rng.standard_normal(paper.shape)
    return Image.fromarray((255 * numpy.clip(grey, 0, 1)).astype(numpy.uint8))


def draw_digits(folder, count, rng):
    pixels = idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = idx("train-labels-idx1-ubyte.gz", 8)
    papers, truth = Papers(rng), {}
    for number, index in enumerate(rng.permutation(len(pixels))[:count]):
        name = PAPERS[number % len(PAPERS)]
        side = int(rng.integers(150, 330))
        ink = numpy.zeros((SIDE, SIDE))
        top, left = rng.integers(0, SIDE - side, 2)
        enlarged = Image.fromarray(pixels[index]).resize((side, side), Image.BICUBIC)
        ink[top:top + side, left:left + side] = numpy.asarray(enlarged) / 255
        file = folder / f"digit-{name}-{number:05}.png"
        page(getattr(papers, name)(), ink, rng).save(file)
        truth[str(file)] = int(labels[index])
    return truth


def draw_junk(folder, each, rng):
    papers, marks, empty = Papers(rng), Marks(rng), numpy.zeros((SIDE, SIDE))
    for name in PAPERS:
        for number in range(each):
            page(getattr(papers, name)(), empty, rng).save(folder / f"empty-{name}-{number:03}.png")
    for name in MARKS:
        for number in range(each):
            ink = getattr(marks, name)().filter(ImageFilter.GaussianBlur(1))
            paper = getattr(papers, PAPERS[number % 4])()
            page(paper, numpy.asarray(ink) / 255, rng).save(folder / f"marks-{name}-{number:03}.png")


def ask(capsnet, folder):
    """For each model: a dictionary of file to (class, score, recognised), with None where nothing was found."""
    said = subprocess.run([capsnet, "predict", "--models", ",".join(MODELS), folder, "--json"], cwd=HERE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    answers = collections.defaultdict(dict)
    nothing = []
    for entry in json.loads(said):
        if entry["error"]:
            nothing.append(entry["image"])
        else:
            answers[entry["model"]][entry["image"]] = (entry["class"], entry["score"], entry["threshold"])
    return answers, nothing


def kind(file):
    return "-".join(pathlib.Path(file).stem.split("-")[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capsnet", default=HERE / "target/release/capsnet", type=pathlib.Path)
    parser.add_argument("--digits", default=1500, type=int)
    parser.add_argument("--junk", default=40, type=int, help="pages of each kind")
    parser.add_argument("--keep", type=pathlib.Path, help="where to leave the pages")
    arguments = parser.parse_args()
    rng = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        for name in ("digits", "junk"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        truth = draw_digits(folder / "digits", arguments.digits, rng)
        draw_junk(folder / "junk", arguments.junk, rng)
        digits, missed = ask(arguments.capsnet.resolve(), folder / "digits")
        junk, nothing = ask(arguments.capsnet.resolve(), folder / "junk")
    pages = collections.Counter(map(kind, nothing))
    print(f"{len(truth)} digits; nothing found on {len(missed)}: {dict(collections.Counter(map(kind, missed)))}")
    print(f"junk: nothing found on {len(nothing)} of {arguments.junk * (len(PAPERS) + len(MARKS))} pages: {dict(pages)}")
    for model, answers in digits.items():
        right = sorted(score for file, (answer, score, _) in answers.items() if answer == truth[file])
        threshold = next(iter(answers.values()))[2]
        one_in_hundred = right[len(right) // 100]
        print(f"\n{model}: {len(right)} of {len(truth)} right; 1 % of these score below {one_in_hundred:.3f}")
        all_of, right_of = (collections.Counter(map(kind, files)) for files in (
            truth, (file for file, (answer, _, _) in answers.items() if answer == truth[file])))
        print("  " + ", ".join(f"{name} {right_of[name]} of {count}" for name, count in all_of.items()))
        for at in sorted({threshold, round(one_in_hundred, 2), 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}):
            refused = sum(score < at for score in right) / len(right)
            others = [score < at for _, score, _ in junk[model].values()]
            by_kind = collections.Counter(kind(file) for file, (_, score, _) in junk[model].items() if score >= at)
            mark = " <- the threshold" if at == threshold else ""
            print(f"  {at:.2f}: {100 * refused:5.2f} % of digits refused, {sum(others) + len(nothing)} of "
                  f"{len(others) + len(nothing)} junk pages{mark}; let through {dict(by_kind)}")


if __name__ == "__main__":
    main()
