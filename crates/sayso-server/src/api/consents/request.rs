//! What a client sends to record a consent.

use std::collections::BTreeMap;

use sayso_core::address::AddressKeySecret;
use sayso_core::canonical::Writer;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::SourceName;
use utoipa::ToSchema;

use crate::body::address::addressed_object;
use crate::body::json_object;
use crate::body::texts::{
    BasisText, ChannelText, ClaimedTimeText, KindText, LanguageText, LevelText, NoteText,
    NoticeIdText, OpaqueIdText, PermissionText, RegionText, ScopeText, Sha256Text, StandingText,
    StatementText, TimeText,
};
use crate::views::hex::hex;

addressed_object! {
    /// What one person said, or is believed to have said, about messages on a channel. Exactly one
    /// of `phone`, `email`, `external_id`, `channel_id` and `hash` names the person.
    #[derive(ToSchema)]
    ConsentRequest {
        /// Where a national phone number belongs; without it the workspace's region.
        region: RegionText,
        /// `messages` (the default): messages on `channel`. `processing`: the processing of the person's data at all; takes no channel and no scope.
        permission: PermissionText,
        /// The channel. Required for messages.
        channel: ChannelText,
        /// What is covered; `all` if absent.
        scope: ScopeText,
        /// What was said. Required.
        statement: StatementText,
        /// `act`: the person did it. `report`: you believe it. Required. An opt-in by act needs `occurred_at`, `method` and `notice`.
        standing: StandingText,
        /// For opt-ins by act: `single` (the default), or `confirmed` if the person answered through the address itself.
        level: LevelText,
        /// For opt-ins by act: until when. Required for `implied` without a `basis` that a country pack of the settings knows.
        ends_at: TimeText,
        /// For `implied`: the relation that implies it. Without `ends_at` it ends when the law of the country packs says, counted from `occurred_at`.
        basis: BasisText,
        /// When it was said, as exactly as it is known. A refusal without a time counts from our receipt.
        occurred_at: ClaimedTimeText,
        /// How it was said: `checkbox`, `keyword`, `paper form`.
        method: NoteText,
        /// The words that were shown.
        notice: NoticeRequest,
        /// What proves it.
        evidence: EvidenceRequest,
    }
}

json_object! {
    /// Which published words were shown.
    #[derive(ToSchema)]
    NoticeRequest {
        /// The notice.
        id: NoticeIdText,
        /// Its version.
        #[schema(example = 1)]
        version: u32,
        /// The language shown.
        language: LanguageText,
    }
}

json_object! {
    /// What proves a statement. Sealed at rest, destroyed by erasure.
    #[derive(ToSchema)]
    EvidenceRequest {
        /// The page it happened on.
        page: NoteText,
        /// The IP address it came from.
        ip: NoteText,
        /// The user agent.
        user_agent: NoteText,
        /// Further fields, at most 32.
        fields: BTreeMap<String, NoteText>,
    }
}

impl ConsentRequest {
    /// The hash of what was sent, field by field, in an order that never changes: the same facts
    /// give the same event, whatever the order of the members (rule 3, encoding `id-v1`).
    pub(crate) fn hash(&self, source: &SourceName, secret: &AddressKeySecret) -> RequestHash {
        let mut fields = Writer::default();
        fields.text("api consent");
        fields.text(source.as_str());
        let mut put = |text: Option<String>| match text {
            Some(text) => {
                fields.byte(1);
                fields.text(&text);
            }
            None => fields.byte(0),
        };
        put(self.phone.clone());
        put(self.email.clone());
        put(self.external_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.channel_id.as_ref().map(|OpaqueIdText(id)| id.as_str().to_owned()));
        put(self.hash.as_ref().map(|Sha256Text(hash)| hex(hash)));
        put(self.kind.as_ref().map(|KindText(kind)| kind.to_string()));
        put(self.region.as_ref().map(|RegionText(region)| region.to_string()));
        put(self.permission.as_ref().map(|PermissionText(kind)| format!("{kind:?}")));
        put(self.channel.as_ref().map(|ChannelText(channel)| channel.to_string()));
        put(self.scope.as_ref().map(|ScopeText(scope)| scope.to_string()));
        put(self.statement.as_ref().map(|StatementText(said)| said.as_str().to_owned()));
        put(self.standing.as_ref().map(|StandingText(standing)| standing.to_string()));
        put(self.level.as_ref().map(|LevelText(level)| level.to_string()));
        put(self.ends_at.as_ref().map(|TimeText(at)| at.to_string()));
        put(self
            .occurred_at
            .as_ref()
            .map(|ClaimedTimeText(at)| format!("{}/{}", at.first(), at.last())));
        put(self.method.as_ref().map(|NoteText(text)| text.as_str().to_owned()));
        put(self.notice.as_ref().map(|_| "notice".to_owned()));
        for text in self.notice.iter().flat_map(NoticeRequest::texts) {
            put(text);
        }
        put(self.evidence.as_ref().map(|_| "evidence".to_owned()));
        for text in self.evidence.iter().flat_map(EvidenceRequest::texts) {
            put(text);
        }
        // Requests from before there was a basis keep their hash.
        if let Some(BasisText(basis)) = &self.basis {
            put(Some(basis.to_string()));
        }
        RequestHash::of(&fields, secret)
    }
}

impl NoticeRequest {
    fn texts(&self) -> impl Iterator<Item = Option<String>> {
        [
            self.id.as_ref().map(|NoticeIdText(id)| id.to_string()),
            self.version.map(|version| version.to_string()),
            self.language.as_ref().map(|LanguageText(language)| language.to_string()),
        ]
        .into_iter()
    }
}

impl EvidenceRequest {
    fn texts(&self) -> impl Iterator<Item = Option<String>> {
        let note =
            |note: &Option<NoteText>| note.as_ref().map(|NoteText(text)| text.as_str().to_owned());
        let fields = self.fields.iter().flatten();
        let fields = fields.flat_map(|(name, NoteText(text))| {
            [Some(name.clone()), Some(text.as_str().to_owned())]
        });
        [note(&self.page), note(&self.ip), note(&self.user_agent)].into_iter().chain(fields)
    }
}
