//! What the pages say, in each language.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sayso_pages::language::{Direction, Language};

/// A file of texts: what each key says.
fn texts(language: Language) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("texts").join(language.tag());
    let mut said = BTreeMap::new();
    for file in files(&folder, "ftl") {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = line.split_once(" = ").unwrap_or_else(|| {
                panic!("{}: `{line}` is no `key = text` on one line", file.display())
            });
            let module = file.file_stem().unwrap().to_str().unwrap();
            assert!(key.starts_with(&format!("{module}-")), "{key} stands in {module}.ftl");
            assert!(said.insert(key.to_owned(), text.to_owned()).is_none(), "{key} is said twice");
        }
    }
    said
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The arguments of a text: `{ $name }`.
fn arguments(text: &str) -> BTreeSet<String> {
    let after = text.split("{ $").skip(1);
    after.map(|rest| rest.split([' ', '}']).next().unwrap().to_owned()).collect()
}

#[test]
fn every_language_says_all_of_it_with_the_same_arguments() {
    let english = texts(Language::English);
    assert!(!english.is_empty());
    for language in Language::ALL {
        let said = texts(language);
        let keys = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&said), keys(&english), "{language:?}");
        for (key, text) in &said {
            assert_eq!(arguments(text), arguments(&english[key]), "{language:?}: {key}");
        }
    }
}

#[test]
fn every_text_is_said_as_it_is_written() {
    for language in Language::ALL {
        for (key, text) in texts(language) {
            let names = arguments(&text);
            let given: Vec<_> = names.iter().map(|name| (name.as_str(), "«x»")).collect();
            let expected = names
                .iter()
                .fold(text.clone(), |text, name| text.replace(&format!("{{ ${name} }}"), "«x»"));
            assert_eq!(language.say_with(&key, &given), expected, "{language:?}: {key}");
        }
    }
}

#[test]
fn every_key_that_a_page_asks_for_is_said_and_no_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code: String =
        files(&source, "rs").iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let english = texts(Language::English);
    for key in english.keys() {
        assert!(code.contains(&format!("\"{key}\"")), "no page says {key}");
    }
    for asked in ["say(\"", "say_with(\""].iter().flat_map(|call| code.split(call).skip(1)) {
        let key = asked.split('"').next().unwrap();
        assert!(english.contains_key(key), "{key} is said nowhere");
    }
}

#[test]
fn the_language_a_browser_likes_best_is_chosen() {
    let all = &Language::ALL;
    for (header, expected) in [
        ("tr-TR,tr;q=0.9,en;q=0.8", Language::Turkish),
        ("en;q=0.8, AR-eg", Language::Arabic),
        ("hi;q=0.5,tr;q=0.5", Language::Hindi),
        ("tr;q=0,hi;q=0.001", Language::Hindi),
        ("de-DE,de;q=0.9", Language::English),
        ("tr;q=nonsense", Language::English),
        ("", Language::English),
    ] {
        assert_eq!(Language::choose(header, all), expected, "{header}");
    }
    let offered = &[Language::Turkish, Language::Arabic];
    assert_eq!(Language::choose("en", offered), Language::Turkish);
    assert_eq!(Language::choose("en", &[]), Language::English);
}

#[test]
fn a_language_is_found_by_its_tag_whatever_its_region() {
    assert_eq!(Language::find("ar-EG"), Some(Language::Arabic));
    assert_eq!(Language::find("TR_tr"), Some(Language::Turkish));
    assert_eq!(Language::find("xx"), None);
    assert_eq!(Language::Arabic.direction(), Direction::RightToLeft);
}

proptest! {
    #[test]
    fn no_header_makes_the_choice_fail(header in "\\PC{0,60}") {
        let chosen = Language::choose(&header, &[Language::Hindi]);
        prop_assert_eq!(chosen, Language::Hindi);
    }
}
