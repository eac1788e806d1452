"""Makes the pictures of this folder and `expected.json`: what Pillow reads from them.

    python make.py          (Pillow 13, numpy 2)

`expected.json` gives for each picture its grey levels at its own size and, where listed, resized to 7 rows of 5.
"""

import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

HERE = Path(__file__).parent
rng = np.random.default_rng(2017)


def levels(image):
    return np.asarray(image, dtype=np.uint8).ravel().tolist()


rgb = Image.fromarray(rng.integers(0, 256, (9, 13, 3), dtype=np.uint8))
rgb.save(HERE / "rgb.png")

rgba_values = rng.integers(0, 256, (6, 6, 4), dtype=np.uint8)
rgba = Image.fromarray(rgba_values)
rgba.save(HERE / "rgba.png")
black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))

rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(HERE / "palette.png")
palette = Image.open(HERE / "palette.png")

deep = rng.integers(0, 65536, (5, 4), dtype=np.uint16)
Image.fromarray(deep).save(HERE / "deep.png")

# A smooth picture: JPEG decoders differ by a level or two in sharp ones.
rows, columns = np.mgrid[0:24, 0:16]
smooth = np.stack([rows * 10, columns * 15, 255 - rows * 5 - columns * 5], axis=-1)
turned = Image.fromarray(smooth.astype(np.uint8))
exif = Image.Exif()
exif[0x0112] = 6  # "rotate by 90 degrees clockwise to display"
turned.save(HERE / "turned.jpg", quality=95, subsampling=0, exif=exif)
upright = ImageOps.exif_transpose(Image.open(HERE / "turned.jpg"))

# The same smooth picture in the other formats and kinds that people have; those that lose nothing are exact.
soft = Image.fromarray(smooth.astype(np.uint8))
soft.convert("CMYK").save(HERE / "cmyk.jpg", quality=95)
soft.save(HERE / "progressive.jpg", quality=95, subsampling=0, progressive=True)
soft.save(HERE / "lossless.webp", lossless=True)
soft.save(HERE / "colours.bmp")
soft.save(HERE / "packed.tif", compression="tiff_lzw")
soft.convert("CMYK").save(HERE / "cmyk.tif")
soft.convert("L").save(HERE / "grey.gif")
soft.convert("1", dither=Image.Dither.NONE).save(HERE / "fax.tif", compression="group4")
soft.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(HERE / "palette.tif")


def kind(name):
    image = Image.open(HERE / name)
    return {"size": image.size, "grey": levels(image.convert("RGB").convert("L"))}


OTHERS = ["cmyk.jpg", "progressive.jpg", "lossless.webp", "colours.bmp", "packed.tif", "cmyk.tif", "grey.gif", "fax.tif",
          "palette.tif"]

expected = {
    "pillow": PIL.__version__,
    "rgb.png": {
        "size": rgb.size,
        "grey": levels(rgb.convert("L")),
        "resized": levels(rgb.convert("L").resize((5, 7), Image.Resampling.BILINEAR)),
    },
    "rgba.png": {"size": rgba.size, "grey": levels(Image.alpha_composite(black, rgba).convert("L"))},
    "palette.png": {"size": palette.size, "grey": levels(palette.convert("RGB").convert("L"))},
    # Pillow's own conversion of 16 bits clips; these are the high bytes, rounded.
    "deep.png": {"size": [4, 5], "grey": np.rint(deep / 257).astype(int).ravel().tolist()},
    "turned.jpg": {"size": upright.size, "grey": levels(upright.convert("L"))},
    **{name: kind(name) for name in OTHERS},
}
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
