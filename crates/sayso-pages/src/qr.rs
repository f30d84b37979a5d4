//! A QR code as a picture: SVG for print and pages, PNG for everything else.
//!
//! Every module is a whole number of pixels wide in a PNG, and the quiet zone is part of the picture, so
//! that it is read wherever it is put. *Source:* ISO/IEC 18004, section 6.3.8 (four modules of quiet zone).

use std::fmt;

use maud::html;
use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};
use thiserror::Error;

/// The quiet zone that every reader needs, in modules.
pub const QUIET_MODULES_MIN: usize = 4;

/// How much of a code may be dirty or covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// About 7 %.
    Low,
    /// About 15 %.
    #[default]
    Medium,
    /// About 25 %.
    Quartile,
    /// About 30 %.
    High,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QrFault {
    /// No QR code holds so much.
    #[error("is too long for a QR code")]
    TooLong,
    /// A module would be smaller than a pixel.
    #[error("is too small: this code needs at least {least} pixels")]
    TooSmall {
        /// The least side that shows it.
        least: usize,
    },
    /// The picture could not be written.
    #[error("could not be written")]
    Unwritten,
}

/// A QR code.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr(QrCode);

/// How large a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its side, in pixels.
    pub pixels: usize,
    /// The white edge, in modules; at least [`QUIET_MODULES_MIN`].
    pub quiet: usize,
}

impl Correction {
    /// The letter of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "L",
            Self::Medium => "M",
            Self::Quartile => "Q",
            Self::High => "H",
        }
    }

    /// Parses the letter.
    ///
    /// # Errors
    /// The letters there are.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        [Self::Low, Self::Medium, Self::Quartile, Self::High]
            .into_iter()
            .find(|correction| correction.as_str().eq_ignore_ascii_case(text))
            .ok_or("is none of L, M, Q, H")
    }

    const fn level(self) -> QrCodeEcc {
        match self {
            Self::Low => QrCodeEcc::Low,
            Self::Medium => QrCodeEcc::Medium,
            Self::Quartile => QrCodeEcc::Quartile,
            Self::High => QrCodeEcc::High,
        }
    }
}

impl fmt::Debug for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Qr").field("modules", &self.modules()).finish_non_exhaustive()
    }
}

impl Qr {
    /// The code of a text, as small as it can be.
    ///
    /// # Errors
    /// [`QrFault::TooLong`].
    pub fn of(text: &str, correction: Correction) -> Result<Self, QrFault> {
        let code = QrCode::encode_text(text, correction.level());
        code.map(Self).map_err(|_| QrFault::TooLong)
    }

    /// Modules on each side, without the quiet zone.
    pub fn modules(&self) -> usize {
        usize::try_from(self.0.size()).unwrap_or(0)
    }

    /// Whether the module of this column and row is dark.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        match (i32::try_from(x), i32::try_from(y)) {
            (Ok(x), Ok(y)) => self.0.get_module(x, y),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// The picture as SVG.
    pub fn svg(&self, extent: Extent, title: &str) -> String {
        let side = self.modules() + 2 * extent.quiet;
        html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(extent.pixels) height=(extent.pixels)
                viewBox=(format!("0 0 {side} {side}")) role="img" shape-rendering="crispEdges" {
                title { (title) }
                path fill="#ffffff" d=(format!("M0 0h{side}v{side}H0z")) {}
                path fill="#000000" d=(self.path(extent.quiet)) {}
            }
        }
        .into_string()
    }

    /// The dark modules as a path, a module being one unit; a run of them in a row is one rectangle.
    pub fn path(&self, quiet: usize) -> String {
        let side = self.modules();
        (0..side).flat_map(|y| self.runs(y)).fold(String::new(), |path, (x, y, run)| {
            path + &format!("M{} {}h{run}v1h-{run}z", x + quiet, y + quiet)
        })
    }

    /// The runs of dark modules in a row: where each begins, and how long it is.
    fn runs(&self, y: usize) -> Vec<(usize, usize, usize)> {
        let (side, mut x, mut runs) = (self.modules(), 0, Vec::new());
        while x < side {
            let run = (x..side).take_while(|x| self.is_dark(*x, y)).count();
            if run > 0 {
                runs.push((x, y, run));
            }
            x += run.max(1);
        }
        runs
    }

    /// The picture as PNG, in black and white. What is left beside whole modules is white too.
    ///
    /// # Errors
    /// [`QrFault::TooSmall`], and [`QrFault::Unwritten`] if the encoder fails.
    pub fn png(&self, extent: Extent) -> Result<Vec<u8>, QrFault> {
        let least = self.modules() + 2 * extent.quiet;
        let scale = extent.pixels.checked_div(least).filter(|scale| *scale > 0);
        let scale = scale.ok_or(QrFault::TooSmall { least })?;
        let edge = (extent.pixels - scale * self.modules()) / 2;
        let module = |pixel: usize| pixel.checked_sub(edge).map(|inside| inside / scale);
        let row = |y: usize| {
            let dark = |x: usize| match (module(x), module(y)) {
                (Some(x), Some(y)) => self.is_dark(x, y),
                (None, _) | (_, None) => false,
            };
            packed((0..extent.pixels).map(dark))
        };
        let rows: Vec<u8> = (0..extent.pixels).flat_map(row).collect();
        encode(extent.pixels, &rows).ok_or(QrFault::Unwritten)
    }
}

/// Dark and light as bits, eight a byte, a light one being set.
fn packed(dark: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut bytes = vec![0_u8; dark.len().div_ceil(8)];
    for (place, dark) in dark.enumerate() {
        if let Some(byte) = bytes.get_mut(place / 8).filter(|_| !dark) {
            *byte |= 0x80 >> (place % 8);
        }
    }
    bytes
}

fn encode(pixels: usize, rows: &[u8]) -> Option<Vec<u8>> {
    let side = u32::try_from(pixels).ok()?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(rows).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://consent.example/e/7m29qx4k0c";

    #[test]
    fn a_picture_has_the_size_that_was_asked_for_and_a_quiet_zone() {
        let qr = Qr::of(LINK, Correction::Medium).unwrap();
        let svg = qr.svg(Extent { pixels: 300, quiet: 4 }, "A & B");
        let side = qr.modules() + 8;
        assert!(
            svg.contains(&format!("width=\"300\" height=\"300\" viewBox=\"0 0 {side} {side}\""))
        );
        assert!(svg.contains("<title>A &amp; B</title>"), "{svg}");
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "the finder begins after the quiet zone: {svg}");
        let png = qr.png(Extent { pixels: 300, quiet: 4 }).unwrap();
        assert_eq!(png.get(16..24).unwrap(), [0, 0, 1, 44, 0, 0, 1, 44]);
    }

    #[test]
    fn a_picture_below_a_pixel_for_a_module_is_refused_with_the_least_that_does() {
        let qr = Qr::of(LINK, Correction::High).unwrap();
        let least = qr.modules() + 8;
        assert!(qr.png(Extent { pixels: least, quiet: 4 }).is_ok());
        let fault = qr.png(Extent { pixels: least - 1, quiet: 4 }).unwrap_err();
        assert_eq!(fault, QrFault::TooSmall { least });
    }

    #[test]
    fn more_correction_needs_more_modules_and_too_long_a_text_no_code() {
        let modules = |correction| Qr::of(LINK, correction).unwrap().modules();
        assert!(modules(Correction::Low) < modules(Correction::High));
        assert_eq!(Qr::of(&"x".repeat(4_000), Correction::Low), Err(QrFault::TooLong));
        assert_eq!(Correction::parse("q"), Ok(Correction::Quartile));
        assert!(Correction::parse("X").is_err());
    }
}
