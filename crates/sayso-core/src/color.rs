//! A color of a customer's, and whether words in it can be read.

use std::fmt;

use thiserror::Error;

/// A color.
///
/// *Shape:* `#` and six hexadecimal digits: `#0b6b50`. *Source:* CSS Color 4, section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// The text is no color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not # and six hexadecimal digits")]
pub struct NoColor;

impl Color {
    /// The color of these shares of red, green and blue.
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    /// Red, green and blue.
    pub const fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }

    /// Parses a color.
    ///
    /// # Errors
    /// [`NoColor`].
    pub fn parse(text: &str) -> Result<Self, NoColor> {
        let digits = text.trim().strip_prefix('#').ok_or(NoColor)?;
        let fits = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| fits).ok_or(NoColor)?;
        let [_, rgb @ ..] = number.to_be_bytes();
        Ok(Self(rgb))
    }

    /// How well words in one color are read on the other, in hundredths: 100 for the same color,
    /// 2,100 for black on white.
    ///
    /// *Source:* WCAG 2.2, definition of contrast ratio.
    pub fn contrast(self, other: Self) -> u32 {
        let (one, two) = (self.luminance() + 500, other.luminance() + 500);
        let ratio = u64::from(one.max(two)) * 100 / u64::from(one.min(two));
        u32::try_from(ratio).unwrap_or(u32::MAX)
    }

    /// Relative luminance in ten thousandths.
    fn luminance(self) -> u32 {
        let [red, green, blue] = self.0.map(linear);
        (red * 2_126 + green * 7_152 + blue * 722) / 10_000
    }
}

/// The contrast, in hundredths, from which words are read by people with moderately low vision.
///
/// *Source:* WCAG 2.2, success criterion 1.4.3.
pub const CONTRAST_MIN: u32 = 450;

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The light of a share of sRGB, in ten thousandths.
fn linear(share: u8) -> u32 {
    let share = f64::from(share) / 255.0;
    let light = if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) };
    thousandths(light)
}

/// A number between 0 and 1, in ten thousandths.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 10,000"
)]
fn thousandths(light: f64) -> u32 {
    (light.clamp(0.0, 1.0) * 10_000.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Color {
        Color::parse(text).unwrap()
    }

    #[test]
    fn a_color_is_six_digits() {
        assert_eq!(color(" #0B6b50").to_string(), "#0b6b50");
        for text in ["0b6b50", "#0b6b5", "#0b6b500", "#+b6b50", "green", "#0b6b5g", ""] {
            assert_eq!(Color::parse(text), Err(NoColor), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert_eq!(color("#ffffff").contrast(color("#000000")), 2_100);
        assert_eq!(color("#123456").contrast(color("#123456")), 100);
        // Known pairs: the lightest gray that passes on white, and the next one, which does not.
        assert!(color("#767676").contrast(color("#ffffff")) >= CONTRAST_MIN);
        assert!(color("#777777").contrast(color("#ffffff")) < CONTRAST_MIN);
        assert!(color("#0b6b50").contrast(color("#ffffff")) >= CONTRAST_MIN);
    }
}
