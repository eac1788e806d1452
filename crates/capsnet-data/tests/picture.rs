//! Pictures: read as Pillow reads them, refused where they are hostile, written and read back.

use std::fs;
use std::path::{Path, PathBuf};

use capsnet_data::picture::{Picture, PictureFault, decode_picture, read_picture, write_png_gray, write_png_rgb};
use proptest::prelude::*;
use serde_json::Value;

fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
}

/// What Pillow reads, from `pictures/make.py`.
fn expected() -> Value {
    serde_json::from_slice(&fs::read(pictures().join("expected.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Asserts that two pictures differ by at most `tolerance` grey levels anywhere.
fn assert_close(found: &[u8], expected: &[u8], tolerance: u8, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(tolerance), "{what} is off by {worst:?} levels");
}

#[test]
fn grey_levels_are_pillow_s() {
    let expected = expected();
    for (name, tolerance) in [
        ("rgb.png", 0),
        ("palette.png", 0),
        ("deep.png", 0),
        // Pillow lays the colours over black first and rounds once more.
        ("rgba.png", 1),
        // JPEG decoders may differ in the last bits of their cosine transform.
        ("turned.jpg", 2),
        ("progressive.jpg", 2),
        ("cmyk.jpg", 3),
        ("cmyk.tif", 1),
        ("lossless.webp", 0),
        ("colours.bmp", 0),
        ("packed.tif", 0),
        ("grey.gif", 0),
        ("fax.tif", 0),
        ("palette.tif", 0),
    ] {
        let entry = &expected[name];
        let size: [usize; 2] = serde_json::from_value(entry["size"].clone()).unwrap();
        let [width, height] = size;
        let found = read_picture(&pictures().join(name), height, width, false).unwrap();
        assert_close(&found, &numbers(&entry["grey"]), tolerance, name);
    }
}

#[test]
fn resizing_is_pillow_s_bilinear() {
    let expected = numbers(&expected()["rgb.png"]["resized"]);
    let found = read_picture(&pictures().join("rgb.png"), 7, 5, false).unwrap();
    assert_close(&found, &expected, 1, "rgb.png at 5x7");
}

#[test]
fn inversion_turns_ink_on_paper_into_light_on_black() {
    let path = pictures().join("rgb.png");
    let plain = read_picture(&path, 9, 13, false).unwrap();
    let inverted = read_picture(&path, 9, 13, true).unwrap();
    assert!(plain.iter().zip(&inverted).all(|(a, b)| a + b == 255));
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let grey = folder.path().join("grey.png");
    write_png_gray(&grey, 3, 2, &[0, 50, 100, 150, 200, 250]).unwrap();
    assert_eq!(read_picture(&grey, 2, 3, false).unwrap(), [0, 50, 100, 150, 200, 250]);
    // Red, green, blue and white, with the weights 299, 587 and 114 of 1000.
    let rgb = folder.path().join("rgb.png");
    let pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    write_png_rgb(&rgb, 2, 2, &pixels).unwrap();
    assert_eq!(read_picture(&rgb, 2, 2, false).unwrap(), [76, 150, 29, 255]);
}

#[test]
fn writing_refuses_sizes_that_do_not_fit_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    for (width, height, len) in [(2, 2, 3), (0, 0, 0), (usize::MAX, 3, 3)] {
        let error = write_png_gray(&path, width, height, &vec![0; len]).unwrap_err();
        assert!(matches!(error.fault, PictureFault::BadSize { .. }));
    }
    assert!(write_png_rgb(&path, 2, 2, &[0; 4]).is_err());
    assert!(!path.exists());

    let nowhere = folder.path().join("absent/out.png");
    let message = write_png_gray(&nowhere, 1, 1, &[0]).unwrap_err().to_string();
    assert!(message.starts_with(&nowhere.display().to_string()), "{message}");
}

/// A grey PNG of any size, whose pixels are left out.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    png_header_of(width, height, 0)
}

/// The same with a colour type; 6 has four bytes a pixel.
fn png_header_of(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, colour, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in [header, b"IDAT".to_vec(), b"IEND".to_vec()] {
        png.extend((chunk.len() as u32 - 4).to_be_bytes());
        png.extend(&chunk);
        let mut checksum = flate2::Crc::new();
        checksum.update(&chunk);
        png.extend(checksum.sum().to_be_bytes());
    }
    png
}

fn fault(bytes: &[u8]) -> PictureFault {
    decode_picture(bytes, 28, 28, false).unwrap_err()
}

#[test]
fn huge_pictures_are_refused_by_their_header() {
    for (width, height) in [(30_000, 30_000), (16_385, 1), (1, 16_385), (10_000, 10_000)] {
        let fault = fault(&png_header(width, height));
        assert!(
            matches!(fault, PictureFault::TooLarge { width: w, height: h } if (w, h) == (width, height)),
            "{fault}"
        );
        let message = fault.to_string();
        assert!(message.contains(&format!("{width}x{height}")), "{message}");
    }
    // One row of this takes more than a decoder may have.
    let row = fault(&png_header(i32::MAX as u32, 1));
    assert!(matches!(row, PictureFault::TooMuchMemory), "{row}");
    // 196 MB out of a hundred bytes.
    let bomb = fault(&png_header_of(7000, 7000, 6));
    assert!(matches!(bomb, PictureFault::TooMuchMemory), "{bomb}");
}

/// Beside the levels a decoder of lossless WebP holds them once more, in four channels.
#[test]
fn what_decoders_hold_beside_the_levels_counts() {
    let side = 3000;
    let black = vec![0; side * side];
    let png = capsnet_data::picture::encode_png(side, side, &black).unwrap();
    assert!(decode_picture(&png, 28, 28, false).is_ok());
    let mut webp = Vec::new();
    let colours = vec![0; 3 * side * side];
    image::codecs::webp::WebPEncoder::new_lossless(&mut webp)
        .encode(&colours, side as u32, side as u32, image::ExtendedColorType::Rgb8)
        .unwrap();
    let bomb = fault(&webp);
    assert!(matches!(bomb, PictureFault::TooMuchMemory), "{bomb}");
}

#[test]
fn what_is_no_picture_is_refused() {
    assert!(matches!(fault(b""), PictureFault::Empty));
    for other in [&b"hello, world"[..], b"%PDF-1.7", &[0; 64]] {
        assert!(matches!(fault(other), PictureFault::UnknownFormat));
    }
    for (brand, name) in [(b"heic", "HEIC"), (b"mif1", "HEIC"), (b"avif", "AVIF")] {
        let kind = fault(&[&b"\0\0\0\x18ftyp"[..], brand, &[0; 40]].concat()).to_string();
        assert!(kind.contains(name) && kind.contains("save it as"), "{kind}");
    }
    for begun in [&b"GIF89a"[..], b"BM", b"RIFF\x10\0\0\0WEBP"] {
        assert!(matches!(fault(begun), PictureFault::Truncated { .. }));
    }
    assert!(matches!(fault(&png_header(28, 28)), PictureFault::Damaged(_)));
    // A TIFF, but of a kind that the decoder doesn't know: four bits a pixel.
    let kind = fault(&palette_tiff(true, 4, &[0x01, 0x23]));
    assert!(kind.to_string().contains("of a kind that isn't read"), "{kind}");
}

/// Writes a number of two bytes as TIFF has it in either order.
fn short(little: bool) -> impl Fn(u16) -> [u8; 2] {
    if little { u16::to_le_bytes } else { u16::to_be_bytes }
}

/// Writes a number of four bytes in either order.
fn long(little: bool) -> impl Fn(u32) -> [u8; 4] {
    if little { u32::to_le_bytes } else { u32::to_be_bytes }
}

/// A TIFF of two rows of one byte each, whose pixels are places in a table: place `p` is `[p, 2 p, 255 - p]`.
fn palette_tiff(little: bool, bits: u16, rows: &[u8; 2]) -> Vec<u8> {
    let (short, long) = (short(little), long(little));
    let colours = 1u32 << bits;
    let width = 8 / u32::from(bits);
    // Tag, kind (3 for a short, 4 for a long), count, value.
    let entries = [
        (256, 4, 1, width),
        (257, 4, 1, 2),
        (258, 3, 1, u32::from(bits)),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, 2),
        (279, 4, 1, 2),
        (320, 3, 3 * colours, 10 + 2 + 10 * 12 + 4),
    ];
    let mut tiff = if little { b"II*\0" } else { b"MM\0*" }.to_vec();
    tiff.extend(long(10));
    tiff.extend(rows);
    tiff.extend(short(entries.len() as u16));
    for (tag, kind, count, value) in entries {
        tiff.extend([short(tag), short(kind)].concat());
        tiff.extend(long(count));
        match (kind, count) {
            (3, 1) => tiff.extend([short(value as u16), [0; 2]].concat()),
            _ => tiff.extend(long(value)),
        }
    }
    tiff.extend(long(0));
    for channel in [|p| p, |p| 2 * p, |p| 255 - p] as [fn(u32) -> u32; 3] {
        (0..colours).for_each(|place| tiff.extend(short((channel(place) as u16 & 255) << 8)));
    }
    tiff
}

/// Of places in either order of bytes, of eight bits and of one.
#[test]
fn tiff_pictures_with_a_table_of_colours() {
    for little in [true, false] {
        let colours = |bits, rows| Picture::decode(&palette_tiff(little, bits, rows)).unwrap();
        let bytes = colours(8, &[3, 100]);
        let planes = bytes.stretched_colours(2, 1, false).unwrap();
        assert_eq!(planes, [3, 100, 6, 200, 252, 155]);
        let bits = colours(1, &[0b0100_0000, 0b1000_0001]);
        let red = &bits.stretched_colours(2, 8, false).unwrap()[..16];
        assert_eq!(red, [0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
        // Cut anywhere it is refused, or is a picture still: never a panic.
        let whole = palette_tiff(little, 8, &[3, 100]);
        (0..whole.len()).for_each(|len| drop(Picture::decode(&whole[..len])));
    }
}

/// Two pages of one strip each, the second one's after everything else.
#[test]
fn a_page_after_the_first_has_to_be_there_too() {
    for little in [true, false] {
        let (short, long) = (short(little), long(little));
        let field = |tag: u16, value: u32| [&short(tag)[..], &short(4), &long(1), &long(value)].concat();
        let size = [field(256, 5), field(257, 1), field(258, 8), field(262, 1)].concat();
        let page = |next: u32, strip: u32| {
            let strip = [field(273, strip), field(279, 5)].concat();
            [&short(6)[..], &size, &strip, &long(next)].concat()
        };
        let head = [if little { b"II" } else { b"MM" }, &short(42)[..], &long(8)].concat();
        // A page is 78 bytes long.
        let file = [head, page(91, 86), vec![1; 5], page(0, 169), vec![2; 5]].concat();
        let shown = Picture::decode(&file).unwrap().stretched_colours(1, 5, false).unwrap();
        assert_eq!(shown[..5], [1; 5]);
        for end in 91..file.len() {
            let cut = fault(&file[..end]);
            assert!(
                matches!(cut, PictureFault::Truncated { format: "TIFF", .. }),
                "{end}: {cut:?}"
            );
        }
    }
}

#[test]
fn truncated_pictures_are_refused() {
    let png = fs::read(pictures().join("rgb.png")).unwrap();
    for len in [8, 20, 40, png.len() / 2, png.len() - 20, png.len() - 1] {
        assert!(
            matches!(fault(&png[..len]), PictureFault::Truncated { .. }),
            "{len} bytes"
        );
    }
    // Rows of more bytes than a number counts: 2^31 x 2^31 pixels of 65,528 bits.
    let mut bmp = [0; 120];
    bmp[..2].copy_from_slice(b"BM");
    bmp[14] = 40;
    bmp[18..22].copy_from_slice(&i32::MIN.to_le_bytes());
    bmp[22..26].copy_from_slice(&i32::MIN.to_le_bytes());
    bmp[28..30].copy_from_slice(&65_528u16.to_le_bytes());
    assert!(matches!(fault(&bmp), PictureFault::Truncated { .. }));
    let jpeg = fs::read(pictures().join("turned.jpg")).unwrap();
    for len in [3, 40, 300, jpeg.len() * 6 / 10, jpeg.len() - 1] {
        assert!(
            matches!(fault(&jpeg[..len]), PictureFault::Truncated { .. }),
            "{len} bytes"
        );
    }
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_picture(folder.path(), 28, 28, false).unwrap_err();
    assert!(matches!(error.fault, PictureFault::NotAFile));
    // It says that it has no bytes, and would give some, as /proc/kmsg would once there are any.
    #[cfg(target_os = "linux")]
    {
        let error = read_picture(Path::new("/proc/self/cmdline"), 2, 2, false).unwrap_err();
        assert!(matches!(error.fault, PictureFault::Empty));
    }
    let absent = folder.path().join("absent.png");
    let error = read_picture(&absent, 28, 28, false).unwrap_err();
    assert!(matches!(error.fault, PictureFault::Io(_)));
    assert!(error.to_string().contains("absent.png"));

    let empty = folder.path().join("empty.png");
    fs::write(&empty, "").unwrap();
    let error = read_picture(&empty, 28, 28, false).unwrap_err();
    assert!(matches!(error.fault, PictureFault::Empty));

    let huge = folder.path().join("huge.png");
    // A sparse file: long, but without content.
    fs::File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    let error = read_picture(&huge, 28, 28, false).unwrap_err();
    assert!(matches!(error.fault, PictureFault::FileTooLarge { .. }));
}

#[test]
fn a_target_without_pixels_or_beyond_reason_is_refused() {
    let png = fs::read(pictures().join("rgb.png")).unwrap();
    for (height, width) in [(0, 28), (28, 0), (1 << 20, 28), (28, usize::MAX)] {
        assert!(matches!(
            decode_picture(&png, height, width, false),
            Err(PictureFault::BadSize { .. })
        ));
    }
}

proptest! {
    /// Altered pictures are read or refused, and what is read has the size asked for.
    #[test]
    fn altered_pictures_do_not_panic(
        name in prop::sample::select(vec!["rgb.png", "rgba.png", "palette.png", "deep.png", "turned.jpg"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = fs::read(pictures().join(name)).unwrap();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(pixels) = decode_picture(&bytes, 7, 5, false) {
            prop_assert_eq!(pixels.len(), 35);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(
        magic in prop::sample::select(vec![
            &b""[..], b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xc0",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [magic, &tail].concat();
        prop_assert!(decode_picture(&bytes, 7, 5, false).is_err());
    }
}
