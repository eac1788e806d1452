//! What people look at: tables, digit grids, confusion matrices, line charts, and reports of all of them in one page.
//!
//! The crate knows results as plain values (strings, counts, grey images, and the types of [`capsnet_measure`]) and
//! nothing of models or tensors. The same input gives the same bytes. Nothing here prints: text comes back as a
//! `String`, pictures as SVG and as the PNG that is made from it, and all of it as one HTML file, that the caller may
//! save.
//!
//! | module | draws |
//! |---|---|
//! | [`table`] | aligned text and Markdown tables |
//! | [`drawing`] | what all pictures are: images, shapes, arrows and text at their places |
//! | [`draw`] | what capsules do: reconstructions, couplings, crowding and others |
//! | [`grid`] | grids of digits with labels |
//! | [`confusion`] | confusion matrices, as text and as a picture |
//! | [`curves`] | line charts |
//! | [`sweep`] | accuracy along a family of transforms, as JSON, CSV, tables, charts and words |
//! | [`tested`], [`protocol`], [`predict`], [`bench`](mod@bench) | tests, answers to pictures and times, as text |
//! | [`weights_file`] | what a weights file holds, as text |
//! | [`page`] | whole results as pages, files and text |
//! | [`html`] | reports that are one HTML file |
//! | [`number`], [`duration`] | numbers and times as people write them |
//! | [`command`], [`progress`] | a command as one types it, how far something has come |
//! | [`grey`], [`colour`], [`rgb`], [`font`] | what the pictures are made of |
//!
//! ```
//! use capsnet_report::{Cell, Column, DigitGrid, GreyImage, Table, Tone, number};
//!
//! let mut table = Table::new([Column::left("test images"), Column::right("accuracy")]);
//! table.push([number::degrees(15.0), number::percent(0.9931, 2)])?;
//! assert_eq!(
//!     table.to_text(),
//!     "test images  accuracy\n-----------  --------\n+15°          99.31 %\n"
//! );
//!
//! let digit = GreyImage::new(28, 28, vec![0; 28 * 28])?;
//! let cell = Cell::new(digit).line("truth   7", Tone::Neutral).line("CapsNet 1", Tone::of(7 == 1));
//! let svg: String = DigitGrid::new("Rotated digits", 8, vec![cell]).sheet()?.to_svg();
//! # Ok::<(), capsnet_report::ReportError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod axis;
pub mod bench;
pub mod colour;
pub mod command;
pub mod confusion;
pub mod curves;
pub mod draw;
pub mod drawing;
pub mod duration;
pub mod error;
pub mod font;
pub mod grey;
pub mod grid;
pub mod html;
mod markup;
pub mod number;
pub mod page;
mod png;
pub mod predict;
pub mod progress;
pub mod protocol;
pub mod rgb;
mod shape;
mod svg;
pub mod sweep;
pub mod table;
pub mod tested;
pub mod tone;
pub mod weights_file;

pub use axis::{Axis, Reference, Scale};
pub use colour::ColourImage;
pub use confusion::ConfusionMatrix;
pub use curves::{LineChart, Series};
pub use drawing::{Anchor, Drawing, Sheet};
pub use error::ReportError;
pub use font::Font;
pub use grey::GreyImage;
pub use grid::{Cell, DigitGrid};
pub use html::{HtmlReport, Picture};
pub use rgb::Rgb;
pub use table::{Align, Column, Table, TableCell};
pub use tone::Tone;
