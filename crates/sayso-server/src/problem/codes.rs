//! The list of codes: word, status, title, meaning, remedy. A code is never renamed or reused.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $word:literal, $status:ident, $title:literal, $meaning:literal, $remedy:literal;)+) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name,)+ }

        impl Code {
            /// All of them, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What happened, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What that means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// What the reader should do.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

codes! {
    NotJson = "not-json", BAD_REQUEST, "The body is not JSON",
        "The body, or one line of it, cannot be read as JSON. `detail` says where reading stopped.",
        "Send JSON, and only JSON, with the content type `application/json` (or `application/x-ndjson` for lines).";
    NotUtf = "not-utf8", BAD_REQUEST, "The body is not UTF-8",
        "JSON is UTF-8 (RFC 8259 section 8.1), and these bytes are not.",
        "Encode the body as UTF-8.";
    TooDeep = "too-deep", BAD_REQUEST, "The body is nested too deeply",
        "No request of this API nests deeper than 16 levels.",
        "Compare the body with the reference of the operation.";
    HookMalformed = "hook-malformed", BAD_REQUEST, "The provider's call cannot be read",
        "The call is the provider's own, and not as the provider documents its calls. `detail` says what is wrong; the call is kept among the rejects.",
        "Compare the subscription at the provider with the guide of the provider; tell us if it looks right.";
    HookEventUnknown = "hook-event-unknown", UNPROCESSABLE_ENTITY, "A provider's event is of no kind we know",
        "The call was the provider's own and was taken; one event in it is of a kind that says nothing to Sayso, and nothing followed from it. It is kept among the rejects.",
        "Look whether the provider tells something new there that people mean as a refusal; tell us if so.";
    InvalidQuery = "invalid-query", BAD_REQUEST, "The query cannot be read",
        "The part of the address after `?` is not percent-encoded UTF-8.",
        "Encode names and values as `application/x-www-form-urlencoded`.";
    InvalidHost = "invalid-host", BAD_REQUEST, "The header `host` names no host",
        "A request names one host, as a name or an address, with a port or none (RFC 9112 section 3.2).",
        "Send the host of the URL that you call; behind a proxy pass it on as it came.";
    TooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        "The body is larger than this operation takes; `detail` names the limit.",
        "Send several smaller requests.";
    TooManyItems = "too-many-items", PAYLOAD_TOO_LARGE, "The batch has too many items",
        "A batch holds at most as many items as `detail` says.",
        "Send several smaller batches.";
    TooSlow = "body-too-slow", REQUEST_TIMEOUT, "The body came too slowly",
        "The body did not arrive in time.",
        "Send the request again on a better connection, or in smaller parts.";
    MediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body is of a type that this operation does not read",
        "The header `content-type` names something else than the operation takes.",
        "Send `application/json`, or `application/x-ndjson` where the operation takes lines.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "No valid API key",
        "The header `Authorization: Bearer sk_…` is absent, or its key is unknown or revoked.",
        "Send a key that is in force; `POST /v1/keys` makes one.";
    HookUnverified = "hook-unverified", UNAUTHORIZED, "The call is not known to be the provider's",
        "There is no such connection, or the call carries no signature or token, or one that does not fit.",
        "Compare the hook's URL, its token and the secrets of the connection with what the provider has. Behind a proxy set `server.public_url`.";
    ScopeMissing = "scope-missing", FORBIDDEN, "The API key may not do this",
        "The key is in force, but lacks the scope that `detail` names.",
        "Use a key with that scope.";
    StandingTooHigh = "standing-too-high", FORBIDDEN, "The API key may only report",
        "The highest standing of this key is `report`, and the request records an act.",
        "Record it as a report, or use a key whose highest standing is `act`.";
    ExemptionNotAllowed = "exemption-not-allowed", FORBIDDEN, "The API key may not send without an opt-in",
        "`require_opt_in: false` needs a key with the scope `send:exempt`.",
        "Leave `require_opt_in` out, or use such a key.";
    OriginNotAllowed = "origin-not-allowed", FORBIDDEN, "The page's origin is not on the site's list",
        "The tag was loaded by a page whose origin the site does not list, or the site key is unknown.",
        "Add the origin, such as `https://shop.example`, to the site.";
    RetractionRefused = "retraction-refused", FORBIDDEN, "The event may not be retracted",
        "Rule 9: a refusal that came from the person is never retracted; one that a caller recorded needs the compliance role.",
        "Record a new act of the person instead.";
    NotFound = "not-found", NOT_FOUND, "There is no such thing",
        "The address names nothing in this workspace. What belongs to others is not found either.",
        "Check the path and the id.";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The method does not fit",
        "The path exists, but not with this method.",
        "Look the operation up in the reference at `/docs`.";
    IdempotencyKeyReused = "idempotency-key-reused", CONFLICT, "The idempotency key was used for another request",
        "A request with the same `Idempotency-Key` and other content was recorded before.",
        "Use a new key for a new request, and the same key only for a retry.";
    AmbiguousProfile = "ambiguous-profile", CONFLICT, "The identifiers belong to several profiles",
        "The request names one person, but its identifiers are linked to different profiles. Nothing was changed.",
        "Unlink the wrong ones first, or send fewer identifiers.";
    AddressLinked = "address-linked", CONFLICT, "The address belongs to another profile",
        "An address is not taken from a person by the way. `detail` names the profile; nothing was changed.",
        "Unlink it there first (`DELETE /v1/profiles/{id}/addresses`). Where two people share it, say so with `POST /v1/profiles`, the address and the `external_id` of each.";
    LimitReached = "limit-reached", CONFLICT, "The workspace has as many as it may",
        "A workspace holds a bounded number of senders, topics, notices, sites and keys, and a profile a bounded number of addresses; `detail` names the limit and its value.",
        "Change one that is no longer needed, or use another workspace. The limits are in `docs/reference/limits.md`.";
    MessageNotAllowed = "message-not-allowed", CONFLICT, "The message may not be sent",
        "The gate says no on every channel that the message names; `decision` gives all reasons, and the events they rest on, for the first. Nothing was queued.",
        "Do not send it. What would change the answer stands with each reason in the rules of consent.";
    AlreadyDecided = "already-decided", CONFLICT, "This was decided before",
        "Inferred refusals that are held together are decided once, for good; `detail` says how they were.",
        "If the decision was wrong, record what each person wants: a retraction is not taken back, and a confirmed refusal is retracted one by one.";
    VersionExists = "version-exists", CONFLICT, "The version is published already",
        "A published version of a notice never changes.",
        "Publish the next version.";
    ImportUndone = "import-undone", CONFLICT, "The import was undone",
        "An import is undone as a whole and for good, so rows that come under its id later count for nothing.",
        "Import the list again under another id; on the command line under another name of the list.";
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "It was changed since you read it",
        "`If-Match`, or the `version` in the body, names another state than the one there is: somebody else was faster, and your change would undo theirs. Nothing was changed.",
        "Read it again, look at what is different, and send your change with the `ETag` that you get. `If-Match: *`, without `version`, changes it whatever it is.";
    CategoryFixed = "category-fixed", CONFLICT, "The category of a topic never changes",
        "Consents to the topic were given for its category.",
        "Make a new topic.";
    PublicUrlRequired = "public-url-required", CONFLICT, "The server does not know its own address",
        "What is printed cannot be corrected. In a live workspace a QR code, a sheet or a link to an entry point is made for `server.public_url` alone, never for the host that a request happens to name.",
        "Set `server.public_url` to the https address at which people reach the server, and start it again. A test workspace needs none.";
    InvalidFields = "invalid-fields", UNPROCESSABLE_ENTITY, "Fields of the request are wrong",
        "Several fields are wrong, in different ways; `errors` names each of them.",
        "Correct the fields that `errors` names.";
    UnknownField = "unknown-field", UNPROCESSABLE_ENTITY, "The field is unknown",
        "The operation has no such field. A misspelled field would otherwise be lost in silence.",
        "Use the name that the fault proposes, or drop the field.";
    MissingField = "missing-field", UNPROCESSABLE_ENTITY, "The field is missing",
        "The request cannot be understood without it.",
        "Add the field.";
    WrongType = "wrong-type", UNPROCESSABLE_ENTITY, "The value is of the wrong type",
        "A text, number, truth value, object or list stands where something else belongs.",
        "Send the type that the fault names.";
    InvalidValue = "invalid-value", UNPROCESSABLE_ENTITY, "The value does not fit the field",
        "The value has the right type, but not the right form or size.",
        "Send a value such as the example.";
    UnknownChannel = "unknown-channel", UNPROCESSABLE_ENTITY, "The channel is unknown",
        "The channels are whatsapp, sms, email, rcs, voice, push, viber, telegram, messenger, line.",
        "Use one of them.";
    UnknownWord = "unknown-word", UNPROCESSABLE_ENTITY, "The word is none of those the field knows",
        "The field takes one of a few words, in lower case.",
        "Use one of the words that the fault lists.";
    InvalidTime = "invalid-time", UNPROCESSABLE_ENTITY, "The time cannot be read",
        "Times are RFC 3339 with a time zone; they may be as coarse as a day.",
        "Send a time such as `2026-11-21T10:00:00Z`.";
    UnknownTimeZone = "unknown-time-zone", UNPROCESSABLE_ENTITY, "The time zone is unknown",
        "Time zones have the names of the IANA time zone database; offsets such as `+02:00` know nothing of summer.",
        "Send a name such as `Europe/Berlin`.";
    TimeInTheFuture = "time-in-the-future", UNPROCESSABLE_ENTITY, "The opt-in lies in the future",
        "An opt-in dated more than 5 minutes past our receipt is refused; a refusal would have been taken.",
        "Correct the clock of the system that dates the request.";
    EndInThePast = "end-in-the-past", UNPROCESSABLE_ENTITY, "The opt-in ends before it begins",
        "`ends_at` is not later than `occurred_at`.",
        "Send the time until which the person agreed.";
    InvalidPhone = "invalid-phone", UNPROCESSABLE_ENTITY, "The value is no phone number",
        "An opt-in needs a valid number, a refusal a possible one: E.164, or a national number with a region.",
        "Send E.164, such as `+14155550123`, or name the `region`.";
    InvalidEmail = "invalid-email", UNPROCESSABLE_ENTITY, "The value is no email address",
        "The address does not have the form of one.",
        "Send an address such as `ada@example.org`.";
    InvalidId = "invalid-id", UNPROCESSABLE_ENTITY, "The value is no id of this kind",
        "Ids have a prefix that names their kind, and 26 letters and digits. Ids of your own are at most 256 bytes and no placeholder.",
        "Send the id as it was given to you.";
    OneAddress = "one-address-needed", UNPROCESSABLE_ENTITY, "The request must name exactly one address",
        "Of `phone`, `email`, `external_id`, `channel_id` and `hash` exactly one must be given.",
        "Send one of them; for several addresses send several requests.";
    HashedOptIn = "hashed-opt-in", UNPROCESSABLE_ENTITY, "Only a refusal may name a person by hash",
        "An opt-in needs an address that can be checked.",
        "Send the address itself.";
    NotAnAct = "not-an-act", UNPROCESSABLE_ENTITY, "An act needs a time, a method and a notice",
        "Rule 4: what the person did is proven by when, how and under which words. The same statement may be recorded as a report.",
        "Add the field, or send `\"standing\": \"report\"`.";
    NotAReport = "not-a-report", UNPROCESSABLE_ENTITY, "A report cannot say this",
        "A source may report a yes or a no, without level and end.",
        "Send `opt_in` or `opt_out`, or record an act.";
    NoticeRequired = "notice-required", UNPROCESSABLE_ENTITY, "The workspace demands a notice for each opt-in",
        "The setting `notice_required` is on, and the opt-in names no notice.",
        "Send `notice` with the id, version and language of the words that were shown.";
    UnknownNotice = "unknown-notice", UNPROCESSABLE_ENTITY, "There is no such notice",
        "The workspace has not published this notice in this version and language.",
        "Publish it with `POST /v1/notices/{id}/versions`, then record the opt-in.";
    NoticeDoesNotCover = "notice-does-not-cover", UNPROCESSABLE_ENTITY, "The notice does not name what the opt-in covers",
        "A person can only agree to what the words said. The notice lists what it names in `names`.",
        "Use the notice that was shown, or narrow the scope.";
    UnknownSender = "unknown-sender", UNPROCESSABLE_ENTITY, "There is no such sender",
        "The workspace has no living sender with this id on this channel.",
        "Use the id of a sender of the channel; `GET /v1/senders` lists them.";
    SenderRequired = "sender-required", UNPROCESSABLE_ENTITY, "The sender must be named",
        "The workspace has several senders on the channel, and consent may differ between them.",
        "Send `sender`, or name one for the channel in `default_senders` of the settings.";
    UnknownTopic = "unknown-topic", UNPROCESSABLE_ENTITY, "There is no such topic",
        "The workspace has no living topic with this id.",
        "Use the id of a topic; `GET /v1/topics` lists them.";
    CategoryConflict = "category-conflict", UNPROCESSABLE_ENTITY, "The category is not the topic's",
        "The category of a topic is fixed, and the request names another.",
        "Leave `category` out where `topic` is given.";
    ExemptionForMarketing = "exemption-for-marketing", UNPROCESSABLE_ENTITY, "Marketing always needs an opt-in",
        "`require_opt_in: false` is possible for utility, authentication and service messages only (rule 26).",
        "Name the category of the message, or leave `require_opt_in` out.";
    OneMoment = "one-moment", UNPROCESSABLE_ENTITY, "Only one moment can be asked about",
        "`as_of` (what we knew then) and `effective_at` (what was true then) exclude each other.",
        "Send one of them.";
    UnknownConnection = "unknown-connection", UNPROCESSABLE_ENTITY, "The connection is unknown",
        "The workspace has no such account at a provider, or deleted it.",
        "Use one that `GET /v1/connections` lists.";
    SenderUnconnected = "sender-unconnected", UNPROCESSABLE_ENTITY, "The sender sends nothing",
        "The sender has no connection, so there is no provider that would take its messages.",
        "Give it a `connection`: `PUT /v1/senders/{id}`.";
    TextTooLong = "text-too-long", UNPROCESSABLE_ENTITY, "The text is too long for the channel",
        "The channel carries fewer characters.",
        "Shorten it to the limit that the fault names.";
    WayOutRequired = "way-out-required", UNPROCESSABLE_ENTITY, "Marketing must say how to leave",
        "The message is marketing, which is also what names no category, and holds no way out that works: neither a link of its person nor, where people can answer, a word in capitals that is a refusal when they send it.",
        "End the text with such as `Reply STOP to leave.` or `{unsubscribe_url}`; for email set `server.public_url` to an https URL. If it is no marketing, name its `category`.";
    AcknowledgementRequired = "acknowledgement-required", UNPROCESSABLE_ENTITY, "The default needs an acknowledgement",
        "`opted_in_acknowledged` lets marketing go to people who said nothing. It must be acknowledged in writing.",
        "Send `acknowledgement` with the words that the reference of the operation gives.";
    WrongCode = "wrong-code", UNPROCESSABLE_ENTITY, "The code is wrong",
        "These are not the six digits that the address was sent, or they are good no more: after five wrong codes a code is dead. `detail` says how many tries are left.",
        "Ask the person to read the last message again.";
    DoubleOptInLapsed = "double-opt-in-lapsed", GONE, "The answer came too late",
        "What was pending for seven days counts for nothing (rule 14).",
        "Ask the person to sign up again.";
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests",
        "More requests came from this key, network or about this address than the limits allow, or the workspace records more events than it may. A refusal is recorded however many events there were.",
        "Wait as long as the header `retry-after` says.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server made a mistake",
        "Something happened that should not be possible. It was logged under the request id.",
        "Tell us the request id (`instance`). Nothing may be assumed about the outcome; a retry is safe.";
    StoreUnreadable = "store-unreadable", INTERNAL_SERVER_ERROR, "Consent cannot be read",
        "The store has damaged data or cannot be read. Nothing is allowed meanwhile.",
        "Look at the server's log; restore from a backup if the disk is broken.";
    Busy = "busy", SERVICE_UNAVAILABLE, "The server is busy",
        "Too much is waiting to be written. Nothing of this request was done.",
        "Retry after the time in `retry-after`.";
    NoRoom = "no-room", SERVICE_UNAVAILABLE, "The server has no room for the request",
        "All connections are taken, or as much of large bodies is in memory as may be; `detail` says which. Providers' calls and people who leave have room of their own. Nothing of this request was done.",
        "Retry after the time in `retry-after`, on a new connection.";
    StoreUnwritable = "store-unwritable", SERVICE_UNAVAILABLE, "The store cannot write",
        "The disk is full or may not be written. Nothing of this request was done. Refusals are still taken while the reserve lasts.",
        "Free disk space; retry after that.";
    Stopping = "stopping", SERVICE_UNAVAILABLE, "The server is stopping",
        "The server takes no new requests. Nothing of this request was done.",
        "Retry after the time in `retry-after`.";
    OutcomeUnknown = "outcome-unknown", SERVICE_UNAVAILABLE, "It is not known whether the request was recorded",
        "Writing failed in a way that leaves the outcome open.",
        "Send the very same request again, with the same `Idempotency-Key`: a retry is one event.";
    Timeout = "timeout", SERVICE_UNAVAILABLE, "The request took too long",
        "The server gave up. A write may have been recorded all the same.",
        "Send the very same request again: a retry is one event.";
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
