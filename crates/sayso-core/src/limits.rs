//! Every bound of the product, by name, unit and reason.
//!
//! A number that limits a queue, a page, a body, a retry, a wait or a text of the server stands here;
//! what one command or file alone needs to know stands beside it. [`ALL`] lists them for the generated reference.

use crate::time::Span;

/// One bound, as the reference page prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The name, unit last.
    pub name: &'static str,
    /// The value.
    pub value: i64,
    /// What it measures.
    pub kind: Kind,
    /// Why it is this and not more.
    pub reason: &'static str,
}

impl Limit {
    /// Its unit: seconds for a span, milliseconds for a short one; bytes or a bare count, as its name
    /// says, otherwise.
    pub fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Span => "seconds",
            Kind::ShortSpan => "milliseconds",
            Kind::Count if self.name.contains("BYTES") => "bytes",
            Kind::Count => "count",
        }
    }
}

/// What a bound measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How many, or how many bytes.
    Count,
    /// How long.
    Span,
    /// How long, below a second.
    ShortSpan,
}

const fn is_short(span: Span) -> bool {
    span.as_micros() < 1_000_000
}

macro_rules! limits {
    (
        $(count $name:ident: $kind:ty = $value:expr, $reason:literal;)+
        ;
        $(span $span_name:ident = $span:expr, $span_reason:literal;)+
    ) => {
        $(#[doc = $reason] pub const $name: $kind = $value;)+
        $(#[doc = $span_reason] pub const $span_name: Span = $span;)+

        /// All bounds, for the generated reference.
        #[expect(
            clippy::as_conversions,
            reason = "every count is far below i64::MAX, and TryFrom is not const"
        )]
        pub const ALL: &[Limit] = &[
            $(Limit {
                name: stringify!($name),
                value: $value as i64,
                kind: Kind::Count,
                reason: $reason,
            },)+
            $(Limit {
                name: stringify!($span_name),
                value: $span.as_micros() / if is_short($span) { 1_000 } else { 1_000_000 },
                kind: if is_short($span) { Kind::ShortSpan } else { Kind::Span },
                reason: $span_reason,
            },)+
        ];
    };
}

limits! {
    count NAME_BYTES_MAX: usize = 64, "A source, sender, topic or site name: fits a table column and a log line.";
    count EVIDENCE_TEXT_BYTES_MAX: usize = 2_048, "One text of the evidence: a URL or a user agent at its longest.";
    count EVIDENCE_FIELDS_MAX: usize = 32, "Free fields of one evidence: proof, not a data store.";
    count NOTICE_TEXT_BYTES_MAX: usize = 16_384, "One notice in one language: longer words are not read by anybody.";
    count PLACEHOLDER_VALUE_BYTES_MAX: usize = 1_024, "What stands for a placeholder in a notice: a list of topics, or a URL.";
    count IDEMPOTENCY_KEY_BYTES_MAX: usize = 255, "An `Idempotency-Key`, as the draft standard's examples use it.";
    count ATTRIBUTES_PER_PROFILE_MAX: usize = 100, "Attributes of one profile: Sayso is no marketing suite.";
    count ATTRIBUTE_BYTES_MAX: usize = 1_024, "One attribute value.";
    count ADDRESSES_PER_PROFILE_MAX: usize = 50, "Addresses of one profile: bounds what one link or opt-out must touch.";
    count SAME_ACCOUNT_MAX: usize = 16, "Addresses that are one account with one address: a phone has one id of WhatsApp's for each holder and business portfolio; a further one is not tied to it.";
    count CONSENT_BATCH_ITEMS_MAX: usize = 10_000, "Items of one `consents/batch`: one request stays below a second.";
    count CHECK_BATCH_ANSWERS_PIECE: usize = 8_192, "Answers of a `check/batch` in NDJSON that are made before the client takes them: about 100 kB.";
    count CHECK_BATCH_ITEMS_MAX: usize = 100_000, "Recipients of one `check/batch`: about 2 MB of body.";
    count EXPORT_PAGE_ADDRESSES: usize = 256, "Addresses an export reads at a time: a few milliseconds, between which others are served.";
    count PAGE_ITEMS_DEFAULT: usize = 50, "Items of a page when the caller names no number.";
    count PAGE_ITEMS_MAX: usize = 500, "Items of a page at the most.";
    count BODY_BYTES_MAX: usize = 262_144, "A single JSON request: 256 KiB holds any one consent with evidence.";
    count UNREAD_BYTES_MAX: usize = 1_114_112, "Of a body that its answer does not need, read before the answer goes out: 1 MiB, which few requests exceed, and the 64 KiB that a client sends over HTTP/2 before it hears anything (RFC 9113 section 6.9.2). A client that hears an error in the middle may break off, and lose the answer.";
    count UNREAD_TAIL_BYTES_MAX: usize = 4_194_304, "Of such a body, read over HTTP/2 while the answer is under way: 4 MiB, four times what may be on its way at once, so that a client that stops when it reads the answer never loses it.";
    count FAULTS_MAX: usize = 32, "Faults of a request that are told, and of each part of it that are kept; the rest is counted. More are not read by anybody, and a program that sends nothing but faults must not be sent many times as much.";
    count FAULT_PARTS_MAX: usize = 64, "Parts of a request of which faults are kept apart: its own fields are fewer.";
    count FAULT_PLACE_BYTES_MAX: usize = 256, "The place of a fault as it is told: it holds names that the sender chose; the rest is cut off.";
    count FAULT_TEXT_BYTES_MAX: usize = 768, "What is told of a fault, or its example: names all the fields that an operation has; the rest is cut off.";
    count BATCH_FAULTS_MAX: usize = 32_768, "Faults that one batch is told in full: three for each of its items. Past them each item is told its first, and how many there are.";
    count NAMES_COMPARED_MAX: usize = 1_024, "Unknown names of one object that are compared with the known ones: a few milliseconds.";
    count BATCH_LINES_A_TURN: usize = 64, "Lines of a batch that are read or answered before others have their turn: a millisecond.";
    count BATCH_BYTES_A_TURN: usize = 65_536, "Bytes of a batch that are read before others have their turn: 64 KiB, a millisecond.";
    count CHECK_BATCH_TURN: usize = 4_096, "Recipients of a batch that are looked up before others have their turn: a millisecond, or some ten where the store is asked about each.";
    count RECIPIENT_BYTES_MAX: usize = 8_192, "One recipient of a batch, as it is written: no address in any spelling is as long.";
    count LARGE_BODIES_BYTES_MAX: usize = 134_217_728, "Bodies above 256 KiB in memory, of all requests: 128 MiB, four of the largest; beyond it large ones get a 503. Smaller ones, such as a single refusal, are never counted.";
    count TAKEN_BYTES_MIN: usize = 65_536, "What a client takes of an answer in twenty seconds, unless the answer is shorter: 64 KiB, which the slowest mobile network brings; who takes less holds a seat, and wants nothing else.";
    count HOOK_BODIES_BYTES_MAX: usize = 67_108_864, "Bodies of providers' calls above 256 KiB in memory, of all calls: 64 MiB, sixteen of the largest; beyond it large ones get a 503, and are sent again. A call with one text is never counted.";
    count SEATS_KEPT_SHARE: usize = 8, "A network takes one in so many of the seats that are kept for hooks and for leaving.";
    count BATCH_BODY_BYTES_MAX: usize = 33_554_432, "A batch request: 32 MiB.";
    count TAG_BODY_BYTES_MAX: usize = 16_384, "What one page view may send: 16 KiB.";
    count FORM_BODY_BYTES_MAX: usize = 32_768, "What one form may send: every field at its longest, in any script.";
    count FORM_TEXT_BYTES_MAX: usize = 2_048, "Title, description, button, confirmation or label of a form: longer ones are not read by anybody.";
    count FORM_URL_BYTES_MAX: usize = 2_048, "Where a form leads: the longest address that every browser takes.";
    count FORM_RADIUS_PX_MAX: u8 = 24, "How round the corners of a form may be: half the height of its button.";
    count FORM_TOPICS_MAX: usize = 12, "Topics of a form: people do not choose among more.";
    count FORM_BOXES_MAX: usize = 24, "Boxes of a form, one for each topic on each channel: each ticked one is an event.";
    count FORM_FIELDS_MAX: usize = 12, "Fields of a form: people do not fill in more.";
    count FORM_COUNTRIES_MAX: usize = 12, "Countries that a form offers beside the number: any other number is written with its country code.";
    count FORM_VALUE_CHARS_MAX: usize = 200, "What a person writes into one field, in characters.";
    count FORM_PAGES_KEPT_MAX: usize = 512, "Pages of forms that are kept rendered, some 15 KiB each; then all are made anew.";
    count FORM_SHOWINGS_MAX: usize = 50, "Sites whose tag shows one form, as many as it has origins.";
    count FORM_SELECTOR_BYTES_MAX: usize = 200, "A selector of CSS that says what is pressed to see a form.";
    count FORM_ORIGINS_MAX: usize = 50, "Origins whose pages may show a form, as many as a site has.";
    count FORM_PROOF_BITS: u32 = 16, "Bits that a form's proof of work begins with: some 65,000 hashes, a second on a slow phone.";
    count FORM_UNPROVEN_PER_NETWORK: u32 = 20, "Submissions without proof of work that one network may make in an hour: people without scripts are few, and a program that only waits is held here.";
    count FORM_PER_ADDRESS: u32 = 6, "Submissions of forms about one address in an hour: a person corrects themselves once or twice, and nobody else may sign them up all day.";
    count DOUBLE_OPT_IN_CODE_DIGITS: u32 = 6, "Digits of a code that proves an address: what people read once and type.";
    count DOUBLE_OPT_IN_TRIES: u32 = 5, "Wrong codes before a code is dead: a guesser is right once in 200,000 codes.";
    count DOUBLE_OPT_INS_PER_NETWORK: u32 = 100, "Questions a day that one network asks for: a tablet on a counter, or a program that sends people codes.";
    count DOUBLE_OPT_INS_PER_NUMBER_BLOCK: u32 = 20, "Questions a day to numbers that differ in their last four digits alone: toll fraud rents whole blocks, and 10,000 people seldom sign up together.";
    count DOUBLE_OPT_INS_PER_COUNTRY: u32 = 200, "Questions a day to one country that is none of the workspace's own: the dear ones are far away.";
    count DOUBLE_OPT_INS_PER_WORKSPACE: u32 = 10_000, "Questions a day of one workspace: what it may cost in the worst night.";
    count DOUBLE_OPT_INS_WAITING_MAX: usize = 100_000, "Sign-ups of a workspace that wait for an answer and were sent no question; the oldest go first.";
    count JSON_DEPTH_MAX: usize = 16, "Nesting of a JSON body: our deepest shape has 5.";
    count SENDERS_PER_WORKSPACE_MAX: usize = 1_000, "Senders of a workspace: each may be a scope of its own.";
    count CONNECTIONS_PER_WORKSPACE_MAX: usize = 100, "Connections of a workspace: accounts at providers.";
    count MESSAGE_TEXT_BYTES_MAX: usize = 16_384, "The words of one message; a channel may take fewer.";
    count MESSAGE_SUBJECT_CHARS_MAX: usize = 200, "The subject of an email: mail programs show some 70 characters of it.";
    count MESSAGE_VARIABLES_MAX: usize = 32, "Variables of one template.";
    count WAY_OUT_WORDS_MAX: usize = 128, "Of a text, the words in capitals at its end that a way out is looked for among: a way out is said last.";
    count WAY_OUT_PHRASE_WORDS_MAX: usize = 3, "Words of one phrase that somebody is asked to send to leave: `OPT OUT`, `STOP ALL NEWS`.";
    count SMTP_CONNECTIONS_MAX: usize = 8, "Emails of one sender that are on their way to its relay at the same time, each on a connection of its own: relays allow one client some ten to fifty.";
    count SMTP_REPLY_BYTES_MAX: usize = 131_072, "What is read of a mail relay for each thing that is said to it: 128 KiB, with the encryption; the longest certificates and lists of what a relay can are far shorter.";
    count MESSAGE_ROUTES_MAX: usize = 4, "Channels that one message may try in turn.";
    count CLAIM_MESSAGES_MAX: usize = 256, "Messages of one sender that are decided and claimed together, and may be on their way to the provider at the same time.";
    count PEOPLE_AT_ONCE: usize = 64, "People of one call of a provider whose words are taken in side by side.";
    count TALLIES_AT_ONCE: usize = 1_024, "Refusals of a sender that one transaction counts.";
    count EARLY_REPORTS_MAX: u32 = 65_536, "Reports that wait for the id of their message at the provider, of all workspaces; the oldest go first.";
    count CLAIM_ROUND_MAX: usize = 2_048, "Messages that one transaction decides: a round stays far below the time for which a claim holds.";
    count HEALTH_WORDS_BYTES_MAX: usize = 512, "What a provider or an operator says of a sender's health: a few words, kept with each signal.";
    count SENDER_SIGNALS_MAX: usize = 256, "Signals of a sender's health in memory: months of them; the oldest that no longer matter go first.";
    count SENDER_HISTORY_SHOWN: usize = 100, "Signals that one sender's page shows.";
    count HEALTH_SAMPLE_MIN: u64 = 200, "Messages of a day below which its rates say nothing: one refusal is half a percent of it.";
    count COMPLAINTS_PER_MILLE_YELLOW: u64 = 1, "Complaints in a thousand messages: mailbox providers ask to stay below.";
    count COMPLAINTS_PER_MILLE_RED: u64 = 3, "Complaints in a thousand messages from which mailbox providers reject mail; no messenger publishes its own.";
    count REFUSALS_PER_MILLE_YELLOW: u64 = 20, "Refusals in a thousand messages: ours, since nobody publishes one; one in fifty is worth a look.";
    count REFUSALS_PER_MILLE_RED: u64 = 50, "Refusals in a thousand messages: one in twenty says that the list or the message is wrong.";
    count TEMPLATE_WORDS_MAX: usize = 32, "Words about one template in memory: a few for each of its languages.";
    count TEMPLATES_PER_WORKSPACE_MAX: usize = 20_000, "Templates of a workspace that providers told of: three times what one account may have.";
    count INFERRED_REFUSALS_PER_DAY: u32 = 200, "Inferred refusals of a sender and day before the rest are held together: more is rather a fault of the provider's than people's will (rule 15).";
    count INFERRED_REFUSALS_PER_DAY_MAX: u32 = 100_000, "What a workspace may set it to: nobody reads through more.";
    count UNPROVEN_REFUSALS_PER_HOUR: u64 = 200, "Refusals of a site and hour that nobody vouches for, before the rest are held together, unless the site usually has more (rule 15).";
    count UNPROVEN_REFUSALS_TIMES_USUAL: u64 = 3, "How many times what a site usually has in an hour is no flood yet (rule 15).";
    count UNPROVEN_AT_ONCE: usize = 2, "Requests of pages whose refusals nobody vouches for that are recorded at the same time: the lane that a flood waits in, beside which everybody else goes on.";
    count UNPROVEN_WAITING_MAX: usize = 256, "Requests that wait in that lane; a further one is asked to come back.";
    count ERASURES_PER_ADDRESS: u32 = 6, "Erasures in an hour that people ask for by the links of one address: nobody needs a second one, and each reads all that is kept about them.";
    count UNPROVEN_PER_NETWORK: u32 = 600, "Requests of pages with refusals that nobody vouches for that one network may make in an hour past its ordinary limit: what a stranger can add to the ledger.";
    count HIDDEN_ROWS_AT_ONCE: i64 = 1_000_000, "Rows of the ledger that one sweep looks through for refusals that hid something long enough: a second of reading in the background.";
    count RETRACTION_STEP_EVENTS: usize = 64, "Events that a retraction of a span leaves out in one step: a few milliseconds, then whoever waits has its turn.";
    count RETRACTED_SPAN_EVENTS_MAX: usize = 100_000, "Events that one retraction of a span leaves out: a longer span is retracted in parts.";
    count LINK_REQUESTS_WAITING_MAX: usize = 1_024, "Requests for a link that wait to be looked at after their answer; a further one is asked to come back.";
    count NOT_ON_CHANNEL_REPEATS: usize = 3, "Messages that fail in a row with a code of which it is unconfirmed that it says so, before an address counts as invalid.";
    count SANDBOX_PHONES_MAX: usize = 1_000_000, "Simulated phones of a server; all of them are in memory.";
    count SANDBOX_MESSAGES_MAX: usize = 100, "Messages kept by one simulated phone; the oldest go first.";
    count SANDBOX_BYTES_MAX: usize = 67_108_864, "What the messages of all simulated phones take in memory: 64 MiB, some 200,000 short ones; the oldest of all go first.";
    count TOPICS_PER_WORKSPACE_MAX: usize = 1_000, "Topics of a workspace: people cannot choose among more.";
    count NOTICES_PER_WORKSPACE_MAX: usize = 1_000, "Notices of a workspace: a form or a box each; all of them are in memory.";
    count NOTICE_VERSIONS_PER_WORKSPACE_MAX: usize = 2_000, "Published versions of a workspace's notices, each language one: 32 MiB of words in memory at the worst.";
    count FORMS_PER_WORKSPACE_MAX: usize = 1_000, "Forms of a workspace, deleted ones included; all of them are in memory.";
    count SITES_PER_WORKSPACE_MAX: usize = 1_000, "Sites of a workspace: each preflight of a browser looks through them.";
    count ENTRY_POINTS_PER_WORKSPACE_MAX: usize = 1_000, "Entry points of a workspace: one for each poster, page and parcel; each visit looks through them.";
    count ENTRY_POINT_TOPICS_MAX: usize = 16, "Topics of one entry point: each is a box on a page of a phone.";
    count ENTRY_POINT_LANGUAGES_MAX: usize = 16, "Languages of one entry point: more than the pages are written in.";
    count PREFILL_BYTES_MAX: usize = 256, "The text that stands in the chat when it is opened: the reference after it must fit into two parts of an SMS.";
    count ENTRY_PAGE_BODY_BYTES_MAX: usize = 16_384, "What one opt-in page may send: 16 KiB is ten times what its boxes need.";
    count REFERENCES_PER_TEXT_MAX: usize = 4, "References that are looked for in one text: each is a look into the store.";
    count REFERENCES_PER_WORKSPACE_MAX: usize = 100_000, "References of a workspace that wait for their message; the oldest go first, since most are used within a minute.";
    count QR_PIXELS_MAX: usize = 4_096, "The side of a picture of a QR code: enough for a poster, and 2 MiB at the worst.";
    count QR_LOGO_BYTES_MAX: usize = 8_192, "The logo in a QR code, as a file: 8 KiB holds a flat one, and all of a workspace are below 8 MiB in memory.";
    count QR_LOGO_PIXELS_MAX: usize = 512, "The side of that logo: on a poster it is drawn no larger than a quarter of the code.";
    count QR_LOGO_MEMORY_BYTES_MAX: usize = 4_194_304, "Memory to decode it: 4 MiB, four times what its pixels need.";
    count QR_PICTURES_BYTES_MAX: usize = 16_777_216, "Pictures of QR codes that are kept drawn: 16 MiB, some thousands of the usual size; then all are drawn anew.";
    count QR_QUIET_MODULES_MAX: usize = 16, "The white edge of a QR code, in modules: four times what the standard asks.";
    count KEYS_PER_WORKSPACE_MAX: usize = 10_000, "API keys of a workspace, revoked ones included: a hundred, each changed every month for eight years.";
    count LINK_KEYS_PER_WORKSPACE_MAX: u32 = 1_000, "Keys of a workspace's links: one a week for twenty years.";
    count LINK_TOKEN_BYTES_MAX: usize = 160, "The token of a link that people leave by: the longest has 147 letters.";
    count SENT_LINK_TOKEN_BYTES_MAX: usize = 128, "Such a token as a message of ours holds it, which names no key: the longest has 126 letters.";
    count LINK_FRESH_DAYS: usize = 7, "Days, in UTC and that of its sending among them, on which a link may do more than leave (rule 22): who reads an old message need not be who it was for.";
    count PERSONAL_FORM_BYTES_MAX: usize = 65_536, "What a form of the preference centre sends: its choices at their most, with room.";
    count PREFERENCE_CHOICES_MAX: usize = 200, "Choices that one preference centre shows: nobody reads more.";
    count PREFERENCE_EVENTS_MAX: usize = 10_000, "Events in the file of what is kept about a person: more than anybody has; the newest.";
    count SOURCES_PER_REGISTER_MAX: usize = 64, "Reporting sources remembered for one address and scope; past it a new source's yes is not taken; its no always is, that of an unproven page as the site's own.";
    count GATE_STATES_MAX: usize = 16_382, "Distinct effective states of a workspace in the gate index: 14 bits, one value for overflow and one for states that turn with time.";
    count GATE_SHAPES_MAX: usize = 65_536, "Shapes of registers whose state is remembered; a further one is computed each time.";
    count GATE_TURNS_MAX: usize = 8, "Known times at which one address's state may turn in the gate index; more read \"ask the store\".";
    count GATE_SEGMENTS: usize = 256, "Locks of one gate index: a writer never stops more than 1/256 of it.";
    count EFFECTIVE_CELLS_MAX: usize = 512, "Cells of one address's table of verdicts; a larger one reads \"ask the store\".";
    count TAIL_BYTES_MAX: usize = 167_772_160, "Events in memory between two flushes of the views, at most: 160 MiB, about 400,000 addresses; beyond it writes get a 503.";
    count TAIL_FLUSH_SHARE: usize = 8, "The share of it that asks for a flush: an eighth, 20 MiB.";
    count VIEWS_LOG_BYTES: u64 = 16_777_216, "The views' write-ahead log is moved into their file once it is this long: 16 MiB, so that a page is written there once for many changes.";
    count TAIL_IMPORT_SHARE: usize = 2, "The share of it that an import fills before it asks for a flush and waits: half, 80 MiB, since a long sorted run writes each page of the views less often.";
    count COMMIT_GROUP_MAX: usize = 1_024, "Requests that share one flush to disk: more gains nothing and delays the first.";
    count WORKSPACE_QUEUE_MAX: usize = 4_096, "Requests of one workspace waiting for the writer before its new ones get a 503: half of all, so that others find room.";
    count WRITER_QUEUE_MAX: usize = 8_192, "Requests waiting for the writer before new ones get a 503.";
    count REFUSAL_RESERVE_BYTES: usize = 67_108_864, "Disk kept free so that refusals are still taken when it is full: 64 MiB.";
    count REJECTS_PER_WORKSPACE_MAX: usize = 10_000, "Refused statements kept for a workspace; the oldest go first, so that a broken page costs no disk.";
    count REJECT_BYTES_PER_WORKSPACE_MAX: usize = 33_554_432, "Refused statements kept for a workspace, as they are sealed: 32 MiB; the oldest go first, so that long ones cost neither the disk nor an erasure that reads them.";
    count REJECT_BODY_BYTES_MAX: usize = 16_384, "Of one refused statement, as it was sent: all that a page view may send; the rest is cut off.";
    count REJECT_FAULTS_MAX: usize = 32, "Faults kept with a refused statement: more are not read by anybody.";
    count REJECT_FAULT_BYTES_MAX: usize = 512, "Place, fault or example kept with a refused statement: a place holds names that the sender chose.";
    count REJECT_QUEUE_BYTES_MAX: usize = 8_388_608, "Refused statements waiting to be kept: 8 MiB; past it they are only answered.";
    count SWEEP_ROWS_MAX: usize = 1_024, "Rows too old to be kept that one sweep deletes: a few milliseconds.";
    count REJECT_ABOUTS_MAX: usize = 64, "Parts of addresses by which one refused statement is found; one that names more is read at each erasure.";
    count ERASURE_STEP_ROWS: usize = 256, "Rows that an erasure destroys at once in work.db: a few milliseconds, then whoever waits has its turn.";
    count START_CHECK_BYTES_MAX: usize = 33_554_432, "A file of which every page is looked at before a start: 32 MiB take a twentieth of a second. In a larger one a damaged page is met when it is read.";
    count BACKUP_MANIFEST_BYTES_MAX: usize = 65_536, "The manifest of a backup: 64 KiB is a hundred times what one has.";
    count ERASURE_LINE_BYTES_MAX: usize = 4_096, "A line of a list of erasures: four times the longest that is written.";
    count READ_BYTES_MAX: usize = 16_384, "Of a text that is read for words: the longest message of WhatsApp in any script; of a longer one the beginning.";
    count OWN_NAMES_MAX: usize = 64, "Names of a business and its senders that may stand beside a stop word: more are not one sender's.";
    count OWN_NAME_BYTES_MAX: usize = 128, "A name that may stand beside a stop word: the longest display name of a sender, in any script.";
    count OFFERED_WORDS_MAX: usize = 256, "Words by which a workspace's messages say that one can leave: its templates have a few.";
    count TOPIC_CODE_BYTES_MAX: usize = 32, "The code of a topic: people type it after STOP.";
    count PEOPLE_SEEN_MAX: usize = 20_000, "Addresses that are looked through for one page of a sender's people: some 50 ms of reading.";
    count RULE_PERMISSIONS_MAX: usize = 32, "Permissions of one rule: each is an event for whoever writes the text.";
    count RULES_PER_WORKSPACE_MAX: usize = 1_000, "Rules of a workspace: each is tried on every text.";
    count QUESTIONS_PER_PERSON_MAX: usize = 8, "How often one sender asks a person for an opt-in, ever: once at the first message, and after each START for a week of them.";
    count QUESTION_LABEL_CHARS_MAX: usize = 20, "The words of an answer to a question, in characters: the button of WhatsApp holds 20.";
    count QUESTION_TEXT_CHARS_MAX: usize = 1_024, "An opt-in question, in characters: the text above the buttons of WhatsApp holds 1,024.";
    count KEYWORD_BYTES_MAX: usize = 64, "A rule's keyword: people type it; twice what carriers take.";
    count PATTERN_BYTES_MAX: usize = 256, "A rule's pattern: longer ones are not understood by their next reader.";
    count PATTERN_COMPILED_BYTES_MAX: usize = 65_536, "A rule's pattern in memory: 64 KiB, so that all rules of a workspace are below 64 MiB and one text is read in milliseconds.";
    count PATTERN_STATES_BYTES_MAX: usize = 8_388_608, "States of the one automaton that searches for all patterns of a workspace, in memory: 8 MiB; a text that needs more is searched for each pattern alone.";
    count PATTERN_STEPS_AT_ONCE: usize = 65_536, "Bytes of a text times patterns up to which they are searched for where others wait: a few milliseconds at the worst. More is done on a thread of its own.";
    count PATTERN_SEARCHES_MAX: usize = 2, "Costly searches for patterns at the same time; further ones wait.";
    count REPLY_BYTES_MAX: usize = 4_096, "A rule's reply: the longest text of WhatsApp in Latin letters.";
    count HOOK_BODY_BYTES_MAX: usize = 4_194_304, "One call of a provider: 4 MiB; the largest we know of, Meta's, ends at 3 MB.";
    count HOOK_JSON_DEPTH_MAX: usize = 32, "Nesting of a provider's JSON: the deepest shape we know of has 12.";
    count HOOK_EVENTS_MAX: usize = 10_000, "Events in one call of a provider: as many as 4 MiB hold of the smallest.";
    count HOOK_PARAMETERS_MAX: usize = 512, "Parameters of one call in form encoding: Twilio sends about thirty.";
    count HOOK_TEXT_BYTES_MAX: usize = 65_536, "What a person wrote: four times WhatsApp's longest text; the rest is cut off, since losing the message could lose a refusal.";
    count HOOK_WORD_BYTES_MAX: usize = 1_024, "An id, a name or a reason in a provider's call or answer; a longer one is cut off, a longer id is none.";
    count PROVIDER_ANSWER_BYTES_MAX: usize = 1_048_576, "What is read of a provider's answer to a send: 1 MiB is hundreds of times what one needs.";
    count SECRET_BYTES_MAX: usize = 2_048, "A provider's token, key or password: Meta's tokens have a few hundred bytes.";
    count TEMPLATE_VARIABLES_MAX: usize = 100, "Variables of one template: no provider approves more.";
    count FREQUENCY_CAPS_MAX: usize = 32, "Frequency caps of a workspace: each that bears on a message is counted before it goes.";
    count CONFIGURE_TRIES_MAX: usize = 128, "Times that a change of a configuration is planned again because others changed it first: each time another change was done.";
    count FREQUENCY_CAP_MESSAGES_MAX: u32 = 1_000, "Messages that a frequency cap allows: more in its time caps nothing.";
    count FREQUENCY_CAP_HOURS_MAX: u32 = 720, "Hours that a frequency cap looks back: 30 days, as long as a message waits at the most.";
    count ZONE_BYTES_MAX: usize = 64, "The name of a time zone: the longest has 32 bytes.";
    count LOG_LINES_A_SECOND_MAX: u32 = 16, "Lines of the log that one place in the code writes in a second: the others say the same, and are counted.";
    count HTTP2_STREAMS_MAX: u32 = 128, "Requests at the same time on one connection of HTTP/2.";
    count HTTP2_UNSENT_BYTES_MAX: usize = 65_536, "Of one answer over HTTP/2, in memory before the client makes room for it: 64 KiB, so that all the streams of a connection hold 8 MiB at the most.";
    count CONNECTIONS_MAX: usize = 4_096, "Open connections of the public listener.";
    count CONNECTIONS_OF_OPERATORS_MAX: usize = 64, "Open connections of the listener for operators: a few monitors and people.";
    count CONNECTIONS_KEPT_PERCENT: usize = 5, "Of the connections, in a hundred, those kept for providers that tell us something and for people who leave: with the others taken, only `/hooks` and `/u` are answered.";
    count FILES_BESIDE_CONNECTIONS: usize = 512, "Files and sockets that the process needs beside those of its clients: the store's, the operators', and those on which providers are called.";
    count REQUEST_AHEAD_BYTES_MAX: usize = 65_536, "What one connection of HTTP/1.1 holds of requests that wait for the answers before them, and of answers that wait to be taken: 64 KiB each, which is more than the largest head.";
    ;
    span LAPSE_OF_PENDING = Span::days(7), "A pending opt-in counts for nothing after 7 days (rule 14).";
    span ACTIVITY_WINDOW = Span::hours(24), "A person is active for 24 hours after their last message (rule 18).";
    span REQUESTED_MESSAGE_WINDOW = Span::minutes(10), "An authentication message the person asked for may go for 10 minutes (rule 26).";
    span DOUBLE_OPT_IN_INTERVAL = Span::days(3), "Nobody is asked twice in three days to confirm what was ticked.";
    span DOUBLE_OPT_IN_ASKED_WITHIN = Span::days(10), "What is pending for ten days is not asked about any more, and forgotten.";
    span DOUBLE_OPT_IN_MESSAGE_HOLDS = Span::hours(1), "A question that could not go within an hour does not go: the person left the page.";
    span DOUBLE_OPT_IN_LIMIT_WINDOW = Span::days(1), "The time over which questions are counted: of a network, a number block, a country, a workspace.";
    span REFERENCE_HOLDS = Span::days(7), "A reference in a prefilled text is good for as long as a pending opt-in.";
    span CONFIRMATION_WINDOW = Span::minutes(5), "The one confirmation of a refusal goes within 5 minutes (rule 21).";
    span REPLY_HOLDS = Span::hours(1), "A reply or a question is worth saying for an hour after the message it answers: later the conversation is over.";
    span QUESTION_INTERVAL = Span::days(1), "One double opt-in question per address and day (rule 26).";
    span CLOCK_AHEAD_MAX = Span::minutes(5), "An opt-in dated later than this past our receipt is refused (rule 2).";
    span CLOCK_BEHIND_MIN = Span::seconds(1), "A clock less than this behind the last record is right: many records fall into one moment (rule 2).";
    span IDEMPOTENCY_WINDOW = Span::hours(24), "The same key with other content is a conflict for 24 hours (rule 3).";
    span CLAIM_HOLDS = Span::seconds(2), "A claim whose hand-over has not begun after 2 s is given up and decided anew (rule 28).";
    span UNDECIDED_PAUSE = Span::seconds(60), "A message to somebody whose registers cannot be read waits this long before it is decided again.";
    span QUIET_SEARCH = Span::days(7), "How far ahead an hour is looked for that is quiet nowhere where the person may be: every day of the week, and a change of the clocks.";
    span MESSAGE_EXPIRY_DEFAULT = Span::days(1), "A message that could not be sent by then fails, unless it says otherwise.";
    span MESSAGE_EXPIRY_MAX = Span::days(30), "A message waits no longer: what was decided for it is stale.";
    span RETRY_AFTER_MAX = Span::days(1), "A provider that asks for a longer pause is asked again after a day.";
    span PROVIDER_CONNECT_TIMEOUT = Span::seconds(5), "A provider that cannot be reached in this time was sent nothing, so the message waits.";
    span PROVIDER_ANSWER_TIMEOUT = Span::seconds(15), "A provider that does not answer a message in this time may have it: it is `unknown`. A stop waits longer than this.";
    span SMTP_CONNECT_TIMEOUT = Span::seconds(2), "An address of a relay that does not answer in this time leaves time for the next.";
    span SMTP_OPEN_TIMEOUT = Span::seconds(5), "A relay that has not greeted, encrypted and let us in after this time was sent no message, so it waits: as long as other providers have to be reached.";
    span SMTP_QUIT_TIMEOUT = Span::seconds(1), "A relay that took a message is told goodbye, and not waited for longer.";
    span RESEND_AFTER_MIN = Span::seconds(1), "A message that its provider did not take is not tried again sooner.";
    span RESEND_AFTER_MAX = Span::minutes(10), "A message that its provider did not take waits as long again as it has waited, up to this, unless the provider names a time.";
    span HEALTH_WINDOW = Span::hours(24), "Complaints and refusals are set against what was sent within this time, and a bad rate counts as long.";
    span HEALTH_SIGNAL_GRAIN = Span::hours(1), "A signal that would only prolong the one that stands by less is not written.";
    span SPAM_LIMIT_HOLDS = Span::hours(24), "After a refusal because of spam reports marketing rests this long: the platform names no time, and its limits roll over a day.";
    span ACCOUNT_REFUSED_HOLDS = Span::hours(1), "A sender whose account is refused is tried again after this time: the platform does not always say when it is let in again.";
    span WARNING_HOLDS = Span::days(7), "A warning of a platform that never says that it is over counts this long.";
    span SENDER_PAUSE_LOOK_AGAIN = Span::hours(1), "A message of a paused sender is decided again after this time at the latest; a change of its health brings it forward.";
    span QUEUE_BACK_OFF_MIN = Span::seconds(1), "A sender that its provider asks for patience rests at least this long.";
    span QUEUE_BACK_OFF_MAX = Span::minutes(10), "Each further refusal doubles the rest, up to this, unless the provider names a longer time.";
    span EARLY_REPORT_KEPT = Span::hours(1), "A report on a message whose id at the provider is not written yet is kept this long.";
    span REPORT_WAIT = Span::seconds(2), "A report that overtakes the end of its hand-over waits this long for it.";
    span UNPROVEN_REFUSAL_HIDES = Span::days(30), "What is kept of a person whose processing is refused by somebody nobody vouches for is hidden this long, then destroyed, unless the refusal was retracted (rule 11).";
    span UNPROVEN_LANE_WAIT = Span::seconds(10), "A page waits this long for the lane of refusals that nobody vouches for.";
    span UNPROVEN_USUAL_WINDOW = Span::days(7), "How far back it is looked to see how many refusals a site usually has.";
    span REJECT_RETENTION = Span::days(30), "A refused statement is kept for 30 days (rule 1).";
    span LOOK_UP_RETENTION = Span::days(400), "Who looked a person up is kept for a year and the time to ask about it (rule 29).";
    span MESSAGE_RETENTION = Span::days(400), "A message that went or ended is kept for a year and the time to ask about it; one that waits is never deleted.";
    span SWEEP_INTERVAL = Span::hours(1), "What is too old to be kept is looked for at least once an hour.";
    span HTTP2_PING_INTERVAL = Span::seconds(60), "How often a client of HTTP/2 that is silent is asked whether it is still there.";
    span CONNECTION_IDLE_MAX = Span::seconds(120), "A connection of HTTP/2 on which nothing was asked for this long is closed: one of HTTP/1.1 goes sooner, by the time-out for its headers.";
    span ANSWER_TAKE_TIMEOUT = Span::seconds(20), "A client that takes nothing of its answer for this long is cut off, as one that sends nothing of its body is.";
    span CONNECTIONS_LOOK_INTERVAL = Span::seconds(5), "How often connections are looked through for idle ones.";
    span HEADER_READ_TIMEOUT = Span::seconds(10), "A client that takes longer for its headers is cut off.";
    span BODY_READ_TIMEOUT = Span::seconds(20), "A client that takes longer for its body is answered with a 408.";
    span UNREAD_TIMEOUT = Span::seconds(2), "An answer waits this long for what is left of a body that it does not need.";
    span UNREAD_TAIL_TIMEOUT = Span::seconds(10), "An answer over HTTP/2 ends at the latest after this time, whatever is left of a body that it does not need.";
    span REQUEST_TIMEOUT = Span::seconds(30), "A request that takes longer is answered with a 503.";
    span FLUSH_INTERVAL = Span::seconds(5), "The views follow the ledger at the latest after this time; more at a time is cheaper.";
    span INDEX_SAVE_INTERVAL = Span::minutes(5), "The gate index is saved this often, so that a start after a crash replays little.";
    span PUBLIC_ANSWER_TIME = Span::micros(100_000), "Answers to browsers leave 100 ms after their request is whole, or at a multiple of it: longer than what is looked up and written for anybody takes, also under load, so that the time tells nothing about the address (rule 23).";
    span FORM_ANSWER_TIME = Span::micros(250_000), "The answer to a form takes at least 250 ms: making a profile for somebody new fits into it, so that the time tells nothing about the person (rule 23).";
    span FORM_CHALLENGE_HOLDS = Span::hours(6), "A form that was open for longer is sent once more: work done in advance is worth little.";
    span FORM_PATIENCE = Span::seconds(8), "Who runs no script and sends a form sooner than this after it was opened is asked to wait and press again.";
    span FORM_LIMIT_WINDOW = Span::hours(1), "The time over which submissions of forms are counted, of a network and about an address.";
    span DRAIN_TIMEOUT = Span::seconds(20), "A stop waits this long for requests under way.";
}
