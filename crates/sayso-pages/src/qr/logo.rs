//! The logo in the middle of a QR code: a small PNG, given by the business.
//!
//! It covers at most a sixteenth of the code, which is drawn with the highest correction then, so readers
//! restore what it hides. Nothing of the file is believed before it was decoded within bounds. Absent on
//! purpose: SVG, which can hold scripts.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use png::{ColorType, Decoder, Limits, Transformations};
use sayso_core::limits;
use thiserror::Error;

/// A logo, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    width: usize,
    height: usize,
    /// The picture on white: red, green and blue of each pixel, row by row.
    pixels: Vec<[u8; 3]>,
    /// The file.
    png: Vec<u8>,
}

/// Why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LogoFault {
    /// It has too many bytes.
    #[error("has more than {} bytes", limits::QR_LOGO_BYTES_MAX)]
    TooLarge,
    /// It has too many pixels, or none.
    #[error("has sides that are not 1 to {} pixels", limits::QR_LOGO_PIXELS_MAX)]
    Sides,
    /// It is no PNG, or a broken one.
    #[error("is no whole PNG")]
    NotPng,
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logo")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl Logo {
    /// Decodes a file.
    ///
    /// # Errors
    /// [`LogoFault`].
    pub fn parse(file: &[u8]) -> Result<Self, LogoFault> {
        if file.len() > limits::QR_LOGO_BYTES_MAX {
            return Err(LogoFault::TooLarge);
        }
        let memory = Limits { bytes: limits::QR_LOGO_MEMORY_BYTES_MAX };
        let mut decoder = Decoder::new_with_limits(Cursor::new(file), memory);
        decoder
            .set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
        let header = decoder.read_header_info().map_err(|_| LogoFault::NotPng)?;
        let side = |pixels: u32| usize::try_from(pixels).unwrap_or(usize::MAX);
        let (width, height) = (side(header.width), side(header.height));
        let sides = 1..=limits::QR_LOGO_PIXELS_MAX;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(LogoFault::Sides);
        }
        let mut reader = decoder.read_info().map_err(|_| LogoFault::NotPng)?;
        let mut bytes = vec![0; reader.output_buffer_size().ok_or(LogoFault::NotPng)?];
        let frame = reader.next_frame(&mut bytes).map_err(|_| LogoFault::NotPng)?;
        reader.finish().map_err(|_| LogoFault::NotPng)?;
        let pixels: Vec<[u8; 3]> = match frame.color_type {
            ColorType::GrayscaleAlpha => bytes
                .as_chunks()
                .0
                .iter()
                .map(|[gray, alpha]| on_white([*gray; 3], *alpha))
                .collect(),
            ColorType::Rgba => {
                let pixels = bytes.as_chunks().0.iter();
                pixels
                    .map(|[red, green, blue, alpha]| on_white([*red, *green, *blue], *alpha))
                    .collect()
            }
            ColorType::Grayscale | ColorType::Rgb | ColorType::Indexed => {
                return Err(LogoFault::NotPng);
            }
        };
        Ok(Self { width, height, pixels, png: file.to_vec() })
    }

    /// The file as an address that a picture may name.
    pub(super) fn url(&self) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode(&self.png))
    }

    /// The color at a place of a square of this side, in whose middle the logo is as large as it can be;
    /// nothing beside it.
    pub(super) fn at(&self, (x, y): (usize, usize), side: usize) -> Option<[u8; 3]> {
        let longer = self.width.max(self.height);
        let drawn = |own: usize| (own * side / longer).max(1);
        let (width, height) = (drawn(self.width), drawn(self.height));
        let x = x.checked_sub((side - width) / 2).filter(|x| *x < width)?;
        let y = y.checked_sub((side - height) / 2).filter(|y| *y < height)?;
        let from = (x * self.width / width, y * self.height / height);
        let to = ((x + 1) * self.width / width, (y + 1) * self.height / height);
        self.mean(from, (to.0.max(from.0 + 1), to.1.max(from.1 + 1)))
    }

    /// The mean of the pixels from one corner to before the other.
    fn mean(&self, from: (usize, usize), to: (usize, usize)) -> Option<[u8; 3]> {
        let rows = (from.1..to.1)
            .filter_map(|y| self.pixels.get(y * self.width + from.0..y * self.width + to.0));
        let (mut sums, mut count) = ([0_u64; 3], 0);
        for pixel in rows.flatten() {
            count += 1;
            for (sum, part) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(*part);
            }
        }
        let mean = |sum: u64| sum.checked_div(count).and_then(|mean| u8::try_from(mean).ok());
        let [red, green, blue] = sums;
        Some([mean(red)?, mean(green)?, mean(blue)?])
    }
}

/// A color with its opacity, on white.
fn on_white(color: [u8; 3], alpha: u8) -> [u8; 3] {
    let (alpha, white) = (u16::from(alpha), u16::from(u8::MAX));
    color.map(|part| {
        let seen = (u16::from(part) * alpha + white * (white - alpha)) / white;
        u8::try_from(seen).unwrap_or(u8::MAX)
    })
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, Encoder};

    use super::*;

    fn file((width, height): (u32, u32), color: ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn a_logo_of_any_color_type_is_drawn_on_white_in_the_middle() {
        let red = file((1, 1), ColorType::Rgba, &[255, 0, 0, 255]);
        assert_eq!(Logo::parse(&red).unwrap().at((3, 3), 7), Some([255, 0, 0]));
        let clear = file((1, 1), ColorType::GrayscaleAlpha, &[0, 0]);
        assert_eq!(Logo::parse(&clear).unwrap().at((0, 0), 7), Some([255; 3]));
        let wide = file((4, 2), ColorType::Grayscale, &[0, 100, 200, 200, 0, 100, 200, 200]);
        let wide = Logo::parse(&wide).unwrap();
        assert_eq!(wide.at((0, 0), 8), None, "beside it is nothing");
        assert_eq!(wide.at((0, 2), 8), Some([0; 3]));
        assert_eq!(wide.at((0, 0), 2), Some([50; 3]), "drawn smaller, it is the mean");
    }

    #[test]
    fn what_is_too_large_or_no_whole_png_is_no_logo() {
        let side = u32::try_from(limits::QR_LOGO_PIXELS_MAX).unwrap();
        let white = |side: u32| {
            file((side, 1), ColorType::Grayscale, &vec![255; usize::try_from(side).unwrap()])
        };
        assert!(Logo::parse(&white(side)).is_ok());
        assert_eq!(Logo::parse(&white(side + 1)), Err(LogoFault::Sides));
        let whole = white(9);
        for cut in 0..whole.len() - 12 {
            assert_eq!(Logo::parse(&whole[..cut]), Err(LogoFault::NotPng), "{cut}");
        }
        assert_eq!(Logo::parse(b"<svg/>"), Err(LogoFault::NotPng));
        let large = vec![0; limits::QR_LOGO_BYTES_MAX + 1];
        assert_eq!(Logo::parse(&large), Err(LogoFault::TooLarge));
    }
}
