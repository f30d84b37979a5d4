//! The pictures of the guides: what people see, as the pages are now. A run writes them to
//! `target/screenshots/guides`; CONTRIBUTING says how they come into `docs/pictures`.

use std::io::Cursor;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::Client;
use serde_json::json;

use super::looks::{look_at, photograph, pictures, prefer};
use super::showroom::Showroom;
use super::window::script;

/// What a guide may cost who reads it. *Units*: bytes.
const PICTURE_BYTES_MAX: usize = 60 * 1024;

/// Puts a number beside each of these elements. The guide says what it stands for.
const NUMBER: &str = "ELEMENTS.forEach((css, index) => {\
    const at = document.querySelector(css); const box = at.getBoundingClientRect();\
    const mark = document.createElement('b'); mark.textContent = index + 1;\
    Object.assign(mark.style, { position: 'absolute', left: '1px', top: box.top + scrollY + 'px',\
      width: '1.6rem', lineHeight: '1.6rem', borderRadius: '50%', textAlign: 'center', fontSize: '0.9rem',\
      background: '#7a1f5c', color: '#ffffff' });\
    document.body.append(mark); });";

/// A page beside a drawing, as a page of its own.
const SIDE_BY_SIDE: &str = "<!doctype html><meta charset=utf-8><title>Poster</title><style>body{margin:0;\
    display:flex;gap:16px;padding:16px;background:#d8dedc;align-items:start}img{box-shadow:0 1px 6px #0004;\
    border-radius:6px;background:#fff}</style>";

fn folder() -> PathBuf {
    let folder = pictures().join("guides");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The same picture in few colors, as a palette: a third of its size.
fn in_few_colors(picture: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(Cursor::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let mut palette: Vec<[u8; 3]> = Vec::new();
    let mut indices = Vec::new();
    for pixel in pixels.chunks_exact(info.color_type.samples()) {
        let color = [0, 1, 2].map(|part| coarse(pixel[part]));
        let known = palette.iter().position(|of| *of == color);
        let index = known.unwrap_or_else(|| {
            palette.push(color);
            palette.len() - 1
        });
        indices.push(u8::try_from(index).unwrap());
    }
    let mut packed = Vec::new();
    let mut encoder = png::Encoder::new(&mut packed, info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(&indices).unwrap();
    packed
}

/// One of 32 degrees of brightness.
fn coarse(part: u8) -> u8 {
    let degree = part / 8;
    degree * 8 + degree / 4
}

/// Keeps the picture of a guide, which may be no larger than a guide can carry.
async fn keep(browser: &Client, name: &str, height_max: u64) {
    let picture = in_few_colors(&photograph(browser, height_max).await);
    std::fs::write(folder().join(format!("{name}.png")), &picture).unwrap();
    assert!(picture.len() <= PICTURE_BYTES_MAX, "{name}: {} bytes", picture.len());
}

#[tokio::test]
async fn the_pictures_of_the_guides_show_the_pages_as_they_are() {
    let mut room = Showroom::open().await;
    let browser = room.browser.clone();
    prefer(&browser, "en").await;
    look_at(&browser, (400, 400), "light").await;

    browser.goto(&format!("{}/f/{}", room.server, room.form)).await.unwrap();
    keep(&browser, "opt-in-form", 900).await;

    browser.goto(&format!("{}/e/{}", room.server, room.code)).await.unwrap();
    let page = photograph(&browser, 930).await;
    let shown = ["h1", "fieldset", "#address", "#notice", "[value=chat]"];
    script(&browser, &NUMBER.replace("ELEMENTS", &json!(shown).to_string())).await;
    keep(&browser, "which-policy", 930).await;

    let sheet = room.http.bytes(&format!("/v1/entry-points/{}/sheet.svg", room.entry)).await;
    let image = |kind: &str, bytes: &[u8], width: u32| {
        format!("<img width={width} src='data:image/{kind};base64,{}'>", STANDARD.encode(bytes))
    };
    let both = image("svg+xml", &sheet, 330) + &image("png", &page, 290);
    look_at(&browser, (670, 400), "light").await;
    let both = STANDARD.encode(format!("{SIDE_BY_SIDE}{both}"));
    browser.goto(&format!("data:text/html;base64,{both}")).await.unwrap();
    keep(&browser, "qr-code", 900).await;

    let question = room.question("ada@shop.example", "en").await;
    look_at(&browser, (480, 400), "light").await;
    browser.goto(&question).await.unwrap();
    keep(&browser, "double-opt-in", 742).await;

    let (preferences, _) = room.person("+14155550123").await;
    look_at(&browser, (480, 400), "light").await;
    browser.goto(&preferences).await.unwrap();
    keep(&browser, "preference-centre", 742).await;
    browser.goto(&room.server).await.unwrap();
    room.end().await;
}
