//! Colors of customers, and whether words in them can be read.

use std::fmt;

use thiserror::Error;

/// A color of red, green and blue.
///
/// *Shape*: `#0b6b50`, six hexadecimal digits; `Display` writes them in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// A text that is no color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no color of # and six hexadecimal digits")]
pub struct ColorFault;

/// The contrast that text must have to its ground, as a ratio to 1.
///
/// *Source*: WCAG 2.2, success criterion 1.4.3.
const READABLE: f64 = 4.5;

impl Color {
    /// White.
    pub const WHITE: Self = Self([0xff; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// What a light form stands on.
    pub const LIGHT_CARD: Self = Self::WHITE;
    /// What a dark form stands on.
    pub const DARK_CARD: Self = Self([0x1a, 0x21, 0x20]);

    /// Parses a color.
    ///
    /// # Errors
    /// [`ColorFault`].
    pub fn parse(text: &str) -> Result<Self, ColorFault> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ColorFault)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ColorFault);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| ColorFault)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The color of these shares of red, green and blue.
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    /// Red, green and blue.
    pub const fn to_bytes(self) -> [u8; 3] {
        self.0
    }

    /// The contrast of two colors, from 1 to 21.
    ///
    /// *Source*: WCAG 2.2, definition of contrast ratio.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Whether letters of this color can be read on a ground.
    pub fn is_readable_on(self, ground: Self) -> bool {
        self.contrast(ground) >= READABLE
    }

    /// The color nearest to this one, on its way to white or to black, that can be read on a ground.
    #[must_use]
    pub fn readable_on(self, ground: Self) -> Self {
        let end = ground.ink();
        let ways = (0..=u8::MAX).map(|share| self.toward(end, share));
        ways.into_iter().find(|color| color.is_readable_on(ground)).unwrap_or(end)
    }

    /// White or black, whichever reads better on this color.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// `share` 255ths of the way to another color.
    fn toward(self, end: Self, share: u8) -> Self {
        let [red, green, blue] = self.0;
        let [to_red, to_green, to_blue] = end.0;
        let mix = |from: u8, to: u8| {
            let (share, whole) = (u16::from(share), u16::from(u8::MAX));
            let mixed = (u16::from(from) * (whole - share) + u16::from(to) * share) / whole;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Self([mix(red, to_red), mix(green, to_green), mix(blue, to_blue)])
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// A part of a color as light: 0 to 1.
fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.040_45 {
        return part / 12.92;
    }
    // To the power of 2.4, which is the fifth root of the twelfth power: by sums and products alone,
    // which every machine computes alike.
    let square = ((part + 0.055) / 1.055) * ((part + 0.055) / 1.055);
    let twelfth = square * square * square * square * square * square;
    let mut root = 1.0_f64;
    for _ in 0..64 {
        root = (4.0 * root + twelfth / (root * root * root * root)) / 5.0;
    }
    root
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_read_as_it_is_written() {
        let green = Color::parse("#0B6b50").unwrap();
        assert_eq!((green.to_string().as_str(), green.to_bytes()), ("#0b6b50", [0x0b, 0x6b, 0x50]));
        for text in ["", "0b6b50", "#0b6b5", "#0b6b500", "#0b6b5g", "#+b6b50", "red"] {
            assert_eq!(Color::parse(text), Err(ColorFault), "{text}");
        }
    }

    #[test]
    fn contrasts_are_those_of_the_guideline() {
        let contrast =
            |one: &str, two: &str| Color::parse(one).unwrap().contrast(Color::parse(two).unwrap());
        for (one, two, expected) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#767676", "#ffffff", 4.54),
            ("#777777", "#ffffff", 4.48),
            ("#ff0000", "#ffffff", 4.00),
        ] {
            let found = contrast(one, two);
            assert!((found - expected).abs() < 0.005, "{one} on {two}: {found}");
        }
    }

    #[test]
    fn every_color_has_a_neighbor_that_can_be_read_and_letters_that_can_be_read_on_it() {
        let steps = || (0..=255_u8).step_by(51);
        for red in steps() {
            for green in steps() {
                for blue in steps() {
                    let color = Color([red, green, blue]);
                    for ground in [Color::LIGHT_CARD, Color::DARK_CARD] {
                        assert!(color.readable_on(ground).is_readable_on(ground), "{color}");
                    }
                    assert!(color.is_readable_on(color.ink()), "{color}");
                }
            }
        }
    }
}
