//! `GET /v1/messages`: all messages, or those of one person.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::address::{Address, AddressKey};
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::message::MessageQuery;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{MessageView, whom};
use crate::api::page::{items, position};
use crate::app::App;
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::texts::{MessageStateText, OpaqueIdText, ProfileIdText, SenderIdText};
use crate::body::{Asked, Faults, json_object};
use crate::caller::{Caller, Read};
use crate::looking::LookingUp;
use crate::problem::{Code, Problem, ProblemBody};

json_object! {
    /// Which messages are asked for: all, or those of one person, whom at most one of `phone`, `email`,
    /// `external_id`, `channel_id` and `profile` names.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    MessagesQuery {
        /// Those to one telephone number.
        #[param(example = "+14155550123")]
        phone: String,
        /// Those to one email address.
        email: String,
        /// Those of one person by your own id: to each address that the person has now.
        #[param(value_type = Option<String>)]
        external_id: OpaqueIdText,
        /// Those to one id of a channel.
        #[param(value_type = Option<String>)]
        channel_id: OpaqueIdText,
        /// Those of one profile: to each address that it has now.
        #[param(value_type = Option<String>)]
        profile: ProfileIdText,
        /// Those of one sender.
        #[param(value_type = Option<String>)]
        sender: SenderIdText,
        /// Those in one state.
        #[param(inline, value_type = Option<MessageStateText>)]
        state: MessageStateText,
        /// How many messages; 50 if absent, at most 500.
        #[param(maximum = 500, minimum = 1)]
        limit: u32,
        /// Where to go on: `next` of the page before.
        cursor: String,
    }
}

/// A page of messages, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagesPage {
    /// The messages.
    messages: Vec<MessageView>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// Whose messages are asked for.
enum Whose {
    Everybodys,
    Profile(ProfileIdText),
    Subject(Subject),
}

/// Lists the messages, the newest first: all, or those of one person.
///
/// Messages of people who were erased have no address any more, so no person has them; without a
/// person they are listed.
#[utoipa::path(
    get, path = "/v1/messages", tag = "Messages", operation_id = "list_messages",
    params(MessagesQuery),
    responses(
        (status = 200, description = "A page of messages.", body = MessagesPage),
        (status = 404, description = "There is no such profile.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    asked: Asked<MessagesQuery>,
) -> Result<Json<MessagesPage>, Problem> {
    let Asked { mut request, mut faults } = asked;
    let limit = items(request.limit, &mut faults);
    let mut query = MessageQuery {
        addresses: None,
        sender: request.sender.take().map(|SenderIdText(id)| id),
        state: request.state.take().map(|MessageStateText(state)| state),
        after: position(request.cursor.take().as_deref(), &mut faults),
    };
    let whose = whose(request, &app, &caller, &mut faults);
    let whose = faults.settle(whose)?;
    // Whom somebody asks for is noted before anything is read, whether there are messages or not.
    looking.note(&app, &caller, whose.looked_up(&caller)).await?;
    let is_of_one = !matches!(whose, Whose::Everybodys);
    query.addresses = whose.addresses(&app, &caller).await?;
    let page = app.store().messages(caller.workspace().id, &query, limit).await?;
    if !is_of_one {
        looking.note(&app, &caller, whom(&caller, &page.messages)).await?;
    }
    Ok(Json(MessagesPage {
        messages: page.messages.iter().map(MessageView::of).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

fn whose(
    request: MessagesQuery,
    app: &App,
    caller: &Caller<Read>,
    faults: &mut Faults,
) -> Option<Whose> {
    let MessagesQuery { phone, email, external_id, channel_id, profile, .. } = request;
    let names_address =
        phone.is_some() || email.is_some() || external_id.is_some() || channel_id.is_some();
    match (profile, names_address) {
        (None, false) => Some(Whose::Everybodys),
        (Some(id), false) => Some(Whose::Profile(id)),
        (Some(_), true) => {
            let fault = "names an address and a profile; send one of them";
            faults.note("", Code::OneAddress, fault);
            None
        }
        (None, true) => {
            let region = caller.workspace().settings.at(app.now()).region;
            let reading =
                Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Query };
            let fields =
                AddressFields { phone, email, external_id, channel_id, hash: None, kind: None };
            fields.settle(&reading, faults).map(Whose::Subject)
        }
    }
}

impl Whose {
    /// The person, for the record of look-ups.
    fn looked_up(&self, caller: &Caller<Read>) -> Vec<LookedUp> {
        match self {
            Self::Everybodys => Vec::new(),
            Self::Profile(ProfileIdText(id)) => vec![LookedUp::Profile(*id)],
            Self::Subject(subject) => {
                vec![LookedUp::Address(subject.key(&caller.workspace().secret))]
            }
        }
    }

    /// The keys of the person's addresses; nothing where no person was named.
    async fn addresses(
        self,
        app: &App,
        caller: &Caller<Read>,
    ) -> Result<Option<Vec<AddressKey>>, Problem> {
        let secret = &caller.workspace().secret;
        let (profile, own) = match self {
            Self::Everybodys => return Ok(None),
            Self::Profile(ProfileIdText(id)) => {
                let profile = app.store().profile(caller.workspace().id, id).await?;
                (Some(profile.ok_or_else(|| Problem::new(Code::NotFound))?), None)
            }
            // Nothing is sent to an id of the caller's: it stands for the person's addresses.
            Self::Subject(subject @ Subject::Address(Address::ExternalId(_))) => {
                let profile = app.store().find_profile(caller.workspace().id, &subject).await?;
                (profile, Some(subject.key(secret)))
            }
            Self::Subject(subject) => (None, Some(subject.key(secret))),
        };
        let addresses = profile.into_iter().flat_map(|profile| profile.addresses);
        let keys: BTreeSet<AddressKey> =
            addresses.map(|address| address.key(secret)).chain(own).collect();
        Ok(Some(keys.into_iter().collect()))
    }
}
