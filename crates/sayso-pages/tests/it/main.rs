//! What is true of every page and of every text.

mod entry;
mod forms;
mod languages;
mod whole_page;
