//! Prints `docs/reference/words.md`: how texts are read, the words, and the confusion table of the
//! corpus. `cargo xtask generate` keeps the page true.

#![expect(clippy::print_stdout, reason = "the page is this program's answer")]

use std::collections::BTreeMap;

use sayso_core::limits;
use sayso_core::wording::{Kind, Word, languages, pairs, sources, words};

#[path = "../tests/it/support/corpus.rs"]
mod corpus;

const INTRODUCTION: &str = "\
# What people write

How Sayso reads the texts that people send (rules 5 and 19). A reading depends on the text, our own names, the codes of
the topics, and whether a question is open; on nothing else.

## How a text is read

1. **What is not the writer's own is left out**: lines that begin with `>`, what follows a signature mark (`--`), in a mail
   what follows \"… wrote:\", and the reactions that phones send as text (`Liked “…”`).
2. **It is folded**: fullwidth and decorated letters become plain ones, capitals small, every Turkish i one i. Punctuation,
   emoji, invisible characters and apostrophes go, and so do accents; drawn-out letters (`stooop`) count once, spelled
   letters (`S.T.O.P.`) are a word.
3. **Our names are left out**, and the rest is cut into the phrases below, the longest first. A phrase never goes beyond the
   end of a sentence.
4. **The first of these that holds is the reading:**

| | What is there | Reading |
|---|---|---|
| 1 | a stop word or clear phrase, the code of one topic, and courtesy | `stop_topic` |
| 2 | a clear phrase, anywhere | `stop` |
| 3 | a stop word, and beside it only courtesy, a number, or other known words | `stop` |
| 4 | a stop word that is a sentence or a line of its own | `stop` |
| 5 | a start word and courtesy | `start` |
| 6 | a help word and courtesy | `help` |
| 7 | a question is open: a yes, or a no, and courtesy | `yes`, `no` |
| 8 | a stop word among others; a phrase that smells of a wish to stop; a misspelling that we know; a no that nobody asked for; words that refuse near the word for what we send | `unclear` |
| 9 | anything else | `nothing` |

A phrase that holds a stop word and plainly means something else (*other meaning*, below) takes that word out of the reading.
`unclear` holds marketing until a person has looked. `no` refuses what was asked.
";

fn main() {
    print!("{INTRODUCTION}");
    println!(
        "Of a text longer than {} bytes the beginning is read; it is then `stop` or `unclear`.\n",
        limits::READ_BYTES_MAX
    );
    confusion();
    misreadings();
    word_lists();
    println!("\n### Words that are in doubt together\n");
    for (part, title) in [("unwanted", "words that refuse"), ("sent", "words for what we send")] {
        let of_part: Vec<_> =
            pairs().filter(|pair| pair.0 == part).map(|pair| format!("`{}`", pair.1)).collect();
        println!("- *{title}*: {}", of_part.join(" · "));
    }
    println!("\n## Sources\n\n| Key | Source |\n|---|---|");
    for source in sources() {
        let title = if source.url.is_empty() {
            source.title.to_owned()
        } else {
            format!("[{}]({})", source.title, source.url)
        };
        println!("| `{}` | {title} |", source.key);
    }
}

fn confusion() {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut total = 0;
    for case in corpus::cases() {
        *counts.entry((case.expected, case.heard().reading.as_str())).or_default() += 1;
        total += 1;
    }
    println!("## How often it is right\n");
    println!(
        "{total} texts in {} languages and scripts (`crates/sayso-core/tests/data/words.tsv`), with the reading that a\n\
         reasonable person gives each (rows), and ours (columns). The texts and the words come from the same hands, and the\n\
         words were mended where they misread a text, so the table shows what is held. How a text from elsewhere fares, the\n\
         second round tells: of its 64 texts, written when the words were done, 47 were read rightly at first. Of the other 17,\n\
         8 were refusals in clear words that were read as `nothing`, 5 were refusals read as `unclear`, and 4 were read as\n\
         more of a refusal than they are. That is why a stop word or a link belongs in every message.\n",
        languages().count()
    );
    println!("| expected | {} |", corpus::READINGS.join(" | "));
    println!("|---|{}", "---:|".repeat(corpus::READINGS.len()));
    for expected in corpus::READINGS {
        let row: Vec<_> = corpus::READINGS
            .iter()
            .map(|got| {
                counts.get(&(expected, *got)).map_or_else(|| "·".to_owned(), ToString::to_string)
            })
            .collect();
        println!("| **{expected}** | {} |", row.join(" | "));
    }
}

fn misreadings() {
    let wrong = corpus::cases().filter(|case| case.expected != case.heard().reading.as_str());
    if wrong.count() == 0 {
        println!("\nNo text of the corpus is misread.");
        return;
    }
    println!("\nKnown misreadings, none of which loses a clear refusal:\n");
    println!("| Text | Language | Expected | Ours |\n|---|---|---|---|");
    for case in corpus::cases().filter(|case| case.expected != case.heard().reading.as_str()) {
        let (text, got) = (&case.text, case.heard().reading.as_str());
        println!("| {text} | `{}` | `{}` | `{got}` |", case.language, case.expected);
        debug_assert!(case.note.starts_with("misread"), "{text} [{}]", case.context);
    }
}

fn word_lists() {
    println!("\n## The words\n");
    println!(
        "`(a|b|)` stands for a, b, or nothing. A word without a mark is our proposal, from everyday use of the language\n\
         (unconfirmed); the others name their source.\n"
    );
    for (kind, title) in TITLES {
        println!("- **{}**: {title}.", name(kind));
    }
    for (tag, language) in languages() {
        println!("\n### {language} (`{tag}`)\n");
        for (kind, _) in TITLES {
            let of_kind: Vec<_> = words()
                .filter(|word| word.language == tag && word.kind == kind)
                .map(|word| entry(&word))
                .collect();
            if !of_kind.is_empty() {
                println!("- *{}*: {}", name(kind), of_kind.join(" · "));
            }
        }
    }
}

const TITLES: [(Kind, &str); 12] = [
    (Kind::Stop, "acts alone; in doubt in a sentence"),
    (Kind::StopFirst, "acts alone; in doubt at the head of a short text"),
    (Kind::StopAlone, "acts alone; means other things in a sentence"),
    (Kind::StopPhrase, "acts wherever it stands"),
    (Kind::Start, "acts alone"),
    (Kind::Help, "acts alone"),
    (Kind::Yes, "answers an open question"),
    (Kind::No, "answers an open question; otherwise in doubt"),
    (Kind::Courtesy, "may stand beside any of them"),
    (Kind::Other, "holds a stop word and plainly means something else"),
    (Kind::Doubt, "in doubt wherever it stands"),
    (Kind::DoubtAlone, "in doubt alone, misspellings among them"),
];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Stop => "stop word",
        Kind::StopFirst => "stop word that begins other sentences",
        Kind::StopAlone => "stop word only when alone",
        Kind::StopPhrase => "clear phrase",
        Kind::Start => "start word",
        Kind::Help => "help word",
        Kind::Yes => "yes",
        Kind::No => "no",
        Kind::Courtesy => "courtesy",
        Kind::Other => "other meaning",
        Kind::Doubt => "doubtful phrase",
        Kind::DoubtAlone => "doubtful alone",
    }
}

/// The phrase, with its sources where it has any.
fn entry(word: &Word) -> String {
    match word.sources {
        "proposal" => format!("`{}`", word.phrase),
        cited => format!("`{}` ({cited})", word.phrase),
    }
}
