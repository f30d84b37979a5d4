//! A QR code as a picture: SVG for print and pages, PNG for everything else.
//!
//! Every module is a whole number of pixels wide in a PNG, and the quiet zone is part of the picture, so
//! that it is read wherever it is put. *Source:* ISO/IEC 18004, section 6.3.8 (four modules of quiet zone).

use std::fmt;
use std::io::Write as _;

use maud::{Markup, html};
use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};
use thiserror::Error;

use self::logo::Logo;

pub mod logo;

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
pub struct Qr {
    code: QrCode,
    logo: Option<Logo>,
}

/// The side of the white square under a logo is at most this part of the code's: a sixteenth of its area,
/// of which the highest correction restores about 30 %.
const LOGO_PART: usize = 4;

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
        code.map(|code| Self { code, logo: None }).map_err(|_| QrFault::TooLong)
    }

    /// The code of a text with a logo in its middle, and the highest correction.
    ///
    /// # Errors
    /// [`QrFault::TooLong`].
    pub fn with_logo(text: &str, logo: Logo) -> Result<Self, QrFault> {
        Ok(Self { logo: Some(logo), ..Self::of(text, Correction::High)? })
    }

    /// The side of the white square under the logo, in modules: odd as that of the code, so that it covers
    /// whole ones.
    fn cleared(&self) -> usize {
        let most = self.modules() / LOGO_PART;
        most - usize::from(most.is_multiple_of(2))
    }

    /// Modules on each side, without the quiet zone.
    pub fn modules(&self) -> usize {
        usize::try_from(self.code.size()).unwrap_or(0)
    }

    /// Whether the module of this column and row is dark.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        match (i32::try_from(x), i32::try_from(y)) {
            (Ok(x), Ok(y)) => self.code.get_module(x, y),
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
                (self.logo(extent.quiet))
            }
        }
        .into_string()
    }

    /// The logo on its white square, a module being one unit.
    pub fn logo(&self, quiet: usize) -> Markup {
        let side = self.cleared();
        let corner = quiet + (self.modules() - side) / 2;
        html! {
            @if let Some(logo) = &self.logo {
                path fill="#ffffff" d=(format!("M{corner} {corner}h{side}v{side}h-{side}z")) {}
                image x=(format!("{corner}.5")) y=(format!("{corner}.5")) width=(side - 1) height=(side - 1)
                    href=(logo.url()) {}
            }
        }
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

    /// The picture as PNG: in black and white, with a logo in color. What is left beside whole modules is
    /// white too.
    ///
    /// # Errors
    /// [`QrFault::TooSmall`], and [`QrFault::Unwritten`] if the encoder fails.
    pub fn png(&self, extent: Extent) -> Result<Vec<u8>, QrFault> {
        let least = self.modules() + 2 * extent.quiet;
        let scale = extent.pixels.checked_div(least).filter(|scale| *scale > 0);
        let scale = scale.ok_or(QrFault::TooSmall { least })?;
        let grid = Grid {
            pixels: extent.pixels,
            edge: (extent.pixels - scale * self.modules()) / 2,
            scale,
        };
        let png = match &self.logo {
            None => self.in_black_and_white(grid),
            Some(logo) => self.in_color(grid, logo),
        };
        png.ok_or(QrFault::Unwritten)
    }

    fn in_black_and_white(&self, grid: Grid) -> Option<Vec<u8>> {
        let row = |y: usize| packed((0..grid.pixels).map(move |x| self.is_dark_at(grid, x, y)));
        encode(grid.pixels, (ColorType::Grayscale, BitDepth::One), (0..grid.pixels).map(row))
    }

    fn in_color(&self, grid: Grid, logo: &Logo) -> Option<Vec<u8>> {
        let cleared = self.cleared() * grid.scale;
        let corner = grid.edge + (self.modules() - self.cleared()) / 2 * grid.scale;
        // Half a module of white on each side of it.
        let (inset, side) = (grid.scale / 2, cleared - grid.scale);
        let color = |x: usize, y: usize| {
            let inside = |at: usize| at.checked_sub(corner).filter(|at| *at < cleared);
            let Some((left, top)) = inside(x).zip(inside(y)) else {
                return if self.is_dark_at(grid, x, y) { [0; 3] } else { [u8::MAX; 3] };
            };
            let within = |at: usize| at.checked_sub(inset).filter(|at| *at < side);
            let at = within(left).zip(within(top));
            at.and_then(|at| logo.at(at, side)).unwrap_or([u8::MAX; 3])
        };
        let row = |y: usize| (0..grid.pixels).flat_map(|x| color(x, y)).collect();
        encode(grid.pixels, (ColorType::Rgb, BitDepth::Eight), (0..grid.pixels).map(row))
    }

    /// Whether the pixel of this column and row lies in a dark module.
    fn is_dark_at(&self, grid: Grid, x: usize, y: usize) -> bool {
        let module = |pixel: usize| pixel.checked_sub(grid.edge).map(|inside| inside / grid.scale);
        module(x).zip(module(y)).is_some_and(|(x, y)| self.is_dark(x, y))
    }
}

/// Where the modules lie among the pixels of a picture.
#[derive(Clone, Copy)]
struct Grid {
    /// The side of the picture.
    pixels: usize,
    /// The white edge.
    edge: usize,
    /// The side of a module.
    scale: usize,
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

/// Encodes rows one by one: a poster in color is 48 MiB before it is compressed.
fn encode(
    pixels: usize,
    (color, depth): (ColorType, BitDepth),
    rows: impl Iterator<Item = Vec<u8>>,
) -> Option<Vec<u8>> {
    let side = u32::try_from(pixels).ok()?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side, side);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().ok()?;
    let mut stream = writer.stream_writer().ok()?;
    for row in rows {
        stream.write_all(&row).ok()?;
    }
    stream.finish().ok()?;
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
    fn a_logo_covers_at_most_a_sixteenth_of_a_code_with_the_highest_correction() {
        let red = encode(1, (ColorType::Rgb, BitDepth::Eight), [vec![255, 0, 0]].into_iter());
        let qr = Qr::with_logo(LINK, Logo::parse(&red.unwrap()).unwrap()).unwrap();
        let plain = Qr::of(LINK, Correction::High).unwrap();
        assert_eq!(qr.path(4), plain.path(4), "the code is that of the highest correction");
        let (side, cleared) = (qr.modules(), qr.cleared());
        assert!(cleared % 2 == 1 && 16 * cleared * cleared <= side * side, "{cleared} of {side}");
        let svg = qr.svg(Extent { pixels: 300, quiet: 4 }, "A");
        assert_eq!(svg.matches("href=\"data:image/png;base64,").count(), 1, "{svg}");
        let png = qr.png(Extent { pixels: 300, quiet: 4 }).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let at = |x: usize, y: usize| pixels[3 * (300 * y + x)..][..3].to_vec();
        assert_eq!(at(150, 150), [255, 0, 0]);
        assert_eq!(at(0, 0), [255; 3]);
        let red = pixels.as_chunks::<3>().0.iter().filter(|it| **it == [255, 0, 0]).count();
        let scale = 300 / (side + 8);
        assert_eq!(red, (scale * (cleared - 1)).pow(2), "and nowhere else");
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
