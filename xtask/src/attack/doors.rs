//! Every door that opens without a key, and whether its answer could tell something of a person.
//!
//! A test compares this list with the routes of the server: a new public route is timed, or says here why
//! it cannot tell anything.

/// What the answer of a door could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// Something of a person: `oracles` times it.
    APerson,
    /// Nothing of a person, for this reason.
    Nobody(&'static str),
}

use Tells::{APerson, Nobody};

/// The doors, by method and route.
pub(super) const DOORS: &[(&str, Tells)] = &[
    ("POST /capture/tag", APerson),
    ("OPTIONS /capture/tag", Nobody("it reads the origins of sites")),
    ("GET /capture/forms", Nobody("it lists the forms of a site")),
    ("GET /tag.js", Nobody("it is a file")),
    ("GET /form.js", Nobody("it is a file")),
    ("GET /f/{form}", Nobody("it shows a form, to everybody alike")),
    ("POST /f/{form}", APerson),
    ("GET /f/{form}/preview", Nobody("it shows a form, and takes nothing")),
    ("GET /e/{code}", Nobody("its code is printed on posters, and it shows the same to everybody")),
    ("POST /e/{code}", APerson),
    ("GET /c/{token}", APerson),
    ("POST /c/{token}", APerson),
    ("GET /p", Nobody("it asks for an address")),
    ("POST /p", APerson),
    ("GET /p/{token}", APerson),
    ("POST /p/{token}", APerson),
    ("GET /u/{token}", APerson),
    ("POST /u/{token}", APerson),
    ("GET /hooks/{connection}", Nobody("it knows connections; the other method is timed")),
    ("POST /hooks/{connection}", APerson),
    ("GET /", Nobody("it leads to the reference")),
    ("GET /openapi.json", Nobody("it is a file")),
    ("GET /docs", Nobody("it is a file")),
    ("GET /docs/problems", Nobody("it is a file")),
    ("GET /docs/style.css", Nobody("it is a file")),
];

/// Those that are not timed, and why.
pub(super) fn that_tell_nothing() -> String {
    let mut lines = vec!["| not timed | since |".to_owned(), "| --- | --- |".to_owned()];
    for (door, tells) in DOORS {
        if let Nobody(reason) = tells {
            lines.push(format!("| {door} | {reason} |"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::oracles::TIMED;
    use super::*;

    const ROUTERS: [&str; 3] = [
        include_str!("../../../crates/sayso-server/src/people.rs"),
        include_str!("../../../crates/sayso-server/src/hooks.rs"),
        include_str!("../../../crates/sayso-server/src/docs.rs"),
    ];
    const DOCUMENT: &str = include_str!("../../../docs/reference/openapi.json");

    /// The routes that a router writes out, `.route("/p", get(…).post(…))`.
    fn written_out(source: &str) -> Vec<String> {
        let mut doors = Vec::new();
        for call in source.split(".route(\"").skip(1) {
            let (path, rest) = call.split_once('"').unwrap();
            let line = rest.split(".route").next().unwrap().lines().next().unwrap();
            for (word, method) in [("get(", "GET"), ("post(", "POST"), ("options(", "OPTIONS")] {
                if line.contains(word) {
                    doors.push(format!("{method} {path}"));
                }
            }
        }
        doors
    }

    /// The operations of the document that need no key.
    fn documented() -> Vec<String> {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut doors = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                if operation["security"] == serde_json::json!([{}]) {
                    doors.push(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
        doors
    }

    #[test]
    fn every_door_without_a_key_is_timed_or_says_why_it_tells_nothing() {
        let mut there: BTreeSet<String> = documented().into_iter().collect();
        there.extend(ROUTERS.iter().flat_map(|source| written_out(source)));
        let listed = DOORS.iter().map(|(door, _)| (*door).to_owned()).collect();
        assert_eq!(there, listed);
        assert!(there.len() > 20, "{there:?}");
    }

    #[test]
    fn every_door_that_could_tell_something_of_a_person_is_timed() {
        let could: BTreeSet<&str> =
            DOORS.iter().filter(|(_, tells)| *tells == APerson).map(|(door, _)| *door).collect();
        let timed: BTreeSet<&str> = TIMED.iter().flat_map(|timed| timed.doors).copied().collect();
        assert_eq!(could, timed);
    }
}
