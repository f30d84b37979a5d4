//! Prints `docs/reference/words.md`: how texts are read, how often the reading is right, and the words.
//! `cargo xtask generate` keeps the page true. With `misread` it prints instead the texts of the tuned
//! part of the corpus that are read wrongly; those of the part that is set aside it never prints.

#![expect(clippy::print_stdout, reason = "the page is this program's answer")]

use std::collections::BTreeMap;

use sayso_core::limits;
use sayso_core::text::wording::{
    Because, Kind, Reading, Sure, Word, languages, sources, sureness, words,
};

#[path = "../tests/it/support/corpus.rs"]
mod corpus;

use corpus::{Part, Sort};

const INTRODUCTION: &str = "\
# What people write

How Sayso reads the texts that people send (rules 5 and 19). A reading depends on the text, our own names, the codes of
the topics, the words that our messages offer, and whether a question is open; on nothing else.

## How a text is read

1. **What is not the writer's own is left out**: lines that begin with `>`, what follows a signature mark (`--`) or \"Sent from
   my …\", in a mail what follows \"… wrote:\", links, and more than three words in quotation marks. The texts that phones
   send for a reaction (`Liked “…”`, `Le gustó “…”`, `👎 to “…”`) say nothing.
2. **It is folded**: fullwidth and decorated letters become plain ones, capitals small, every Turkish i one i, digits of
   every script the same. Punctuation, emoji, invisible characters and apostrophes go, and so do accents; drawn-out letters
   (`stooop`) count once, spelled letters (`S.T.O.P.`) are a word. Hebrew and Arabic words are found behind their prefixes,
   and scripts without spaces are read letter by letter.
3. **Our names are left out.**
4. **The first of these that holds is the reading:**

| | What is there | Reading |
|---|---|---|
| 1 | a word that our own messages offer (\"reply 9 to leave\"), alone | `stop` |
| 2 | a stop word and the code of one topic | `stop_topic` |
| 3 | a stop word, and beside it only courtesy of any language, a number, or other known words | `stop` |
| 4 | a stop word that is a sentence or a line of its own, or the end of one after a pause | `stop` |
| 5 | a sentence that refuses (below) | `stop`, `stop_topic` |
| 6 | a start word and courtesy | `start` |
| 7 | a help word and courtesy | `help` |
| 8 | a question is open: a yes, or a no, and courtesy | `yes`, `no` |
| 9 | a sentence in doubt (below); a stop word among others that do not turn it round; a no that nobody asked for | `unclear` |
| 10 | anything else | `nothing` |

`unclear` holds marketing until a person has looked. `no` refuses what was asked. A refusal by line 5 is one that we read in
a sentence: compliance may retract it if we misread it, and the event says so (road `inbound_sentence`, evidence `sayso:read_from`).
A refusal by a keyword is never retracted.

## How a sentence is read

Each word fills slots: what it does (leave, stop, cancel, remove, send, write, call, receive, want), to what (messages, a
list, me, something else), and what turns that round (not, no, more, why, if, still). A long word with one typing error
is the word that was meant. A sentence is in the language that most of its words belong to, and is cut where a new act
begins. The first line that fits a part of it is what that part says:

| | A part with | says |
|---|---|---|
| 1 | an idiom that refuses: *leave me alone*, *lose my number* | stop |
| 2 | *by mistake*; *if I …* before an act | in doubt |
| 3 | a negation that governs stop, leave, cancel or remove | go on; with *forget to*, *why won't you*, or *I can't* before leave: stop |
| 4 | *why* or *did you* before stop; a negation of what is received or was sent | a complaint that nothing comes: nothing; *when* beside the end of an offer: nothing |
| 5 | an act whose nearest object is another thing: an order, an appointment, a payment | nothing, or in doubt |
| 6 | calls or mails alone, where they are not this channel | nothing where this channel is welcome or asked for, else in doubt |
| 7 | revoke and consent · leave · remove and me or a list · stop and write, contact, messages · cancel and messages | stop |
| 8 | a negation before send, write, contact | stop; with *forget to* between, nothing; with an object that nobody knows, or such a verb between, in doubt |
| 9 | a negation of wanting, with messages, receive, write by you | stop |
| 10 | no more messages | stop |
| 11 | *I said* or *I asked* before a stop word | stop |
| 12 | a negation near messages, or beside signing up; *why do I get*; a wrong number; anger; cancel and a subscription; remove and an account | in doubt |

One part that stops makes the text a refusal, unless the writer takes it back or asks for something else of the kind in
it. In a language that nobody who speaks it has looked at, a sentence that would stop is only in doubt. A text that says
nothing is read once more with unknown words taken for known ones that begin alike: what would refuse then is in doubt, and
so is a short text of messages and one word that nobody knows.
";

fn main() {
    if std::env::args().any(|argument| argument == "misread") {
        return misread();
    }
    print!("{INTRODUCTION}");
    println!(
        "Of a text longer than {} bytes the beginning is read; it is then `stop` or `unclear`.\n",
        limits::READ_BYTES_MAX
    );
    measured();
    confusion();
    misreadings();
    word_lists();
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

/// What became of the texts of one language.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    refusals: usize,
    held: usize,
    lost: usize,
    others: usize,
    refused: usize,
    doubted: usize,
}

impl Measured {
    fn add(&mut self, sort: Sort, reading: Reading) {
        let (refuses, held) = (reading.is_refusal(), reading == Reading::Unclear);
        match sort {
            Sort::Refusal => {
                self.refusals += 1;
                self.held += usize::from(held);
                self.lost += usize::from(!held && !refuses);
            }
            Sort::Other => {
                self.others += 1;
                self.refused += usize::from(refuses);
                self.doubted += usize::from(held);
            }
            Sort::Unclear => {}
        }
    }

    fn row(&self) -> String {
        let Self { refusals, held, lost, others, refused, doubted } = self;
        format!("{refusals} | {held} | {lost} | {others} | {refused} | {doubted}")
    }
}

/// The table per language, on the part of the corpus that is set aside.
fn measured() {
    let mut by_language: BTreeMap<&str, Measured> = BTreeMap::new();
    let (mut aside, mut tuned) = (Measured::default(), Measured::default());
    for text in corpus::texts() {
        let reading = text.heard().reading;
        match text.part() {
            Part::Aside => {
                by_language.entry(text.language).or_default().add(text.sort, reading);
                aside.add(text.sort, reading);
            }
            Part::Tuned => tuned.add(text.sort, reading),
        }
    }
    println!("## How often a sentence is read rightly\n");
    println!(
        "`crates/sayso-core/tests/data/readings.tsv` holds texts as people write them: clear refusals, and texts that are none.\n\
         A hash of each text puts it into the part by which the words are mended, or into the part that is set aside; misread\n\
         texts of the latter are never shown to whoever mends. The table is of the part set aside. *Lost* is a clear refusal that\n\
         changes nothing, *refused* a text that is none and opts a person out. The texts and the words come from the same hands, so\n\
         expect a little less of texts from elsewhere: a stop word or a link belongs in every message.\n\n\
         908 texts in 36 languages came from elsewhere, written without sight of the words, and were read once on 2026-12-01 before\n\
         anything was mended: of 448 clear refusals 7 were held and 6 lost (1.3 %), of 460 others 3 refused (0.7 %) and 22 were\n\
         held. To run it:\n\n\
         ```\ncargo run --package sayso-core --example words-page            # this page\n\
         cargo run --package sayso-core --example words-page -- misread # what to mend\n```\n"
    );
    let sure: BTreeMap<_, _> = sureness().collect();
    println!("| Language | Sentences | Clear refusals | held | lost | Others | refused | held |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for (tag, measured) in &by_language {
        let acts = match sure.get(tag) {
            Some(Sure::Acts) => "act",
            Some(Sure::Holds) => "hold",
            None => "have no words",
        };
        println!("| `{tag}` | {acts} | {} |", measured.row());
    }
    println!("| **all, set aside** | | {} |", aside.row());
    println!("| all, tuned | | {} |\n", tuned.row());
}

/// Prints what is misread in the part by which the words are mended.
fn misread() {
    for text in corpus::texts().filter(|text| text.part() == Part::Tuned) {
        let heard = text.heard();
        let (refuses, held) = (heard.reading.is_refusal(), heard.reading == Reading::Unclear);
        let wrong = match text.sort {
            Sort::Refusal => !refuses,
            Sort::Other => refuses || held,
            Sort::Unclear => !held && heard.because != Because::NotUnderstood,
        };
        if wrong {
            let (language, reading, because) =
                (text.language, heard.reading.as_str(), heard.because);
            println!("{language}\t{:?}\t{reading}\t{because}\t{}", text.sort, text.words);
        }
    }
}

fn confusion() {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut total = 0;
    for case in corpus::cases() {
        *counts.entry((case.expected, case.heard().reading.as_str())).or_default() += 1;
        total += 1;
    }
    println!("## Texts that must be read rightly\n");
    println!(
        "{total} texts (`crates/sayso-core/tests/data/words.tsv`) with the reading that a reasonable person gives each (rows),\n\
         and ours (columns). The words were mended where they misread one of them, so this table shows what is held.\n"
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

const TITLES: [(Kind, &str); 10] = [
    (Kind::Stop, "acts alone; what it does in a sentence, the sentence says"),
    (Kind::StopFirst, "acts alone; in doubt at the head of a short text"),
    (Kind::StopAlone, "acts alone; means other things in a sentence"),
    (Kind::Start, "acts alone"),
    (Kind::Help, "acts alone"),
    (Kind::Yes, "answers an open question"),
    (Kind::No, "answers an open question; otherwise in doubt"),
    (Kind::Courtesy, "may stand beside any of them"),
    (Kind::Doubt, "in doubt wherever it stands"),
    (Kind::DoubtAlone, "in doubt alone, misspellings among them"),
];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Stop => "stop word",
        Kind::StopFirst => "stop word that begins other sentences",
        Kind::StopAlone => "stop word only when alone",
        Kind::Start => "start word",
        Kind::Help => "help word",
        Kind::Yes => "yes",
        Kind::No => "no",
        Kind::Courtesy => "courtesy",
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
