//! The pages that people see: a view in, HTML out.
//!
//! *No text reaches a page unescaped.* Every page is a function from a view, a struct of this crate,
//! to a [`Document`](page::Document): the HTML, and the content security policy that names exactly
//! the style and the scripts inside it. There is no clock, no randomness, no socket and no async
//! here, and nothing of HTTP: the server chooses the status, adds the headers, and says who may frame
//! the page.
//!
//! Every page works without a script, fits a phone of 360 pixels, follows the light or dark setting of
//! the device, and is written in the [`language`] of its reader. What a page says stands in
//! `texts/<language>/`, one file for each module here; each language says all of it, which a test sees to.

pub mod blank;
pub mod double_opt_in;
pub mod entry;
pub mod form;
pub mod language;
mod mark;
pub mod page;
pub mod personal;
pub mod qr;
pub mod sheet;
pub mod snippet;
pub mod trouble;
pub mod widget;
