//! Addresses that a provider names as one account, and a new number (rule 13).

use sayso_core::address::{Address, AddressHash};
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, ImportId, WorkspaceId};
use sayso_core::limits;
use sayso_core::state::retraction::{RetractionFault, Role};
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, Road, is_passed_on};
use sayso_core::words::statement::{Slot, Statement};

use sha2::{Digest, Sha256};

use super::build::{
    SMS, at, channel_id, known, of_fact, one_account, phone, reason, record, said, source,
    workspace,
};
use crate::Store;
use crate::erasure::ErasureReach;
use crate::store::{HistoryQuery, Outcome, RetractDraft, Retracting, Retraction};
use sayso_plan::draft::{Draft, Subject};

const WHATSAPP: Permission = Permission::Messages(Channel::WhatsApp, Scope::All);
const OPTED_OUT: Option<Reason> = Some(Reason::OptedOut);
const NO_OPT_IN: Option<Reason> = Some(Reason::NoOptIn);
const ALLOWED: Option<Reason> = None;

fn marketing() -> Message {
    Message::ordinary(Channel::WhatsApp, Category::Marketing)
}

async fn of(store: &dyn Store, workspace: WorkspaceId, address: &Address) -> Option<Reason> {
    reason(store, workspace, address, marketing()).await
}

/// The provider names the first phone and the first id as one account.
async fn tie(store: &dyn Store, workspace: WorkspaceId, phone: &Address, id: &Address) {
    store.record(workspace, one_account(store, workspace, (phone, id), 1)).await.unwrap();
}

/// What is said by one of the two addresses, and when.
type Said = (fn(u64) -> Address, Fact, i64);

const fn on(permission: Permission, statement: Statement) -> Fact {
    Fact::Consent(permission, statement)
}

const fn blocked(switched: Switched) -> Fact {
    let cover = Cover { channel: None, sender: None, category: None };
    Fact::Suppression(Suppression::Operator, cover, switched)
}

/// Every order of so many things.
fn orders(things: usize) -> Vec<Vec<usize>> {
    let Some(last) = things.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(last) {
        for at in 0..=last {
            let mut longer = order.clone();
            longer.insert(at, last);
            all.push(longer);
        }
    }
    all
}

/// Rules 7 and 13: the same decisions for both addresses in whatever order the naming, the refusals and
/// the opt-ins come in; and the gate says what the registers say.
pub async fn the_order_of_a_naming_and_of_refusals_cannot_matter(store: &dyn Store) {
    let single = on(WHATSAPP, Statement::Single);
    let out = on(WHATSAPP, Statement::OptOut);
    let worlds: [([Said; 3], [Option<Reason>; 2]); 8] = [
        ([(phone, out, 5), (channel_id, out, 6), (phone, single, 7)], [ALLOWED, OPTED_OUT]),
        ([(phone, single, 3), (channel_id, out, 5), (phone, out, 2)], [OPTED_OUT; 2]),
        ([(phone, single, 3), (channel_id, out, 5), (phone, single, 6)], [ALLOWED, OPTED_OUT]),
        (
            [(channel_id, single, 3), (phone, out, 5), (phone, on(WHATSAPP, Statement::Start), 7)],
            [NO_OPT_IN, ALLOWED],
        ),
        (
            [
                (channel_id, single, 3),
                (phone, on(WHATSAPP, Statement::Hold), 5),
                (phone, single, 4),
            ],
            [Some(Reason::UnderReview); 2],
        ),
        (
            [
                (channel_id, single, 3),
                (phone, on(WHATSAPP, Statement::Hold), 5),
                (phone, single, 6),
            ],
            [ALLOWED; 2],
        ),
        (
            [
                (channel_id, single, 3),
                (phone, blocked(Switched::On), 5),
                (phone, blocked(Switched::Off), 6),
            ],
            [NO_OPT_IN, ALLOWED],
        ),
        (
            [
                (channel_id, single, 3),
                (phone, on(Permission::Processing, Statement::OptOut), 5),
                (phone, single, 6),
            ],
            [Some(Reason::ProcessingRefused); 2],
        ),
    ];
    for (world, (said, expected)) in worlds.into_iter().enumerate() {
        for order in orders(said.len() + 1) {
            let workspace = workspace(store).await;
            for at in &order {
                match said.get(*at) {
                    Some((who, fact, minutes)) => {
                        record(store, workspace, of_fact(workspace, &who(1), *fact, *minutes))
                            .await;
                    }
                    None => tie(store, workspace, &phone(1), &channel_id(1)).await,
                }
            }
            let found =
                [of(store, workspace, &phone(1)).await, of(store, workspace, &channel_id(1)).await];
            // A START of somebody without an opt-in says nothing more than that.
            assert_eq!(found, expected, "world {world}, order {order:?}");
        }
    }
}

/// Rule 13: a refusal of one, by whichever road, denies the other once it is answered.
pub async fn a_refusal_for_one_address_denies_the_other_of_its_account(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    for n in 1..=4 {
        for address in [phone(n), channel_id(n)] {
            let yes = said(workspace, &address, WHATSAPP, Statement::Confirmed, 2);
            record(store, workspace, yes).await;
        }
        tie(store, workspace, &phone(n), &channel_id(n)).await;
        assert_eq!(of(store, workspace, &channel_id(n)).await, ALLOWED);
    }
    record(store, workspace, said(workspace, &phone(1), WHATSAPP, Statement::OptOut, 3)).await;
    assert_eq!(of(store, workspace, &channel_id(1)).await, OPTED_OUT);
    // What was refused is never answered for by an opt-in through the other address.
    record(store, workspace, said(workspace, &channel_id(1), WHATSAPP, Statement::Single, 4)).await;
    assert_eq!(of(store, workspace, &channel_id(1)).await, ALLOWED);
    assert_eq!(of(store, workspace, &phone(1)).await, OPTED_OUT);

    let mut listed = said(workspace, &channel_id(2), WHATSAPP, Statement::No, 3);
    listed.import = Some(ImportId::from_bytes([7; 16]));
    listed.source = source(Road::Import, "list");
    record(store, workspace, listed).await;
    assert_eq!(of(store, workspace, &phone(2)).await, OPTED_OUT);

    let mut hashed = said(workspace, &phone(3), WHATSAPP, Statement::No, 3);
    let digits = sha256_of_digits(&phone(3));
    hashed.subject = Subject::Hash(digits);
    assert_eq!(hashed.subject.key(&secret), phone(3).key(&secret));
    record(store, workspace, hashed).await;
    assert_eq!(of(store, workspace, &channel_id(3)).await, OPTED_OUT);

    // What is said on another channel is no matter of this account.
    record(store, workspace, said(workspace, &phone(4), SMS, Statement::OptOut, 3)).await;
    assert_eq!(of(store, workspace, &channel_id(4)).await, ALLOWED);
}

fn sha256_of_digits(address: &Address) -> AddressHash {
    let Address::Phone(phone) = address else { panic!("no phone") };
    let sha256 = Sha256::digest(phone.digits().to_string().as_bytes()).into();
    AddressHash { kind: address.kind(), sha256 }
}

fn retraction(address: &Address, event: EventId, role: Role) -> RetractDraft {
    RetractDraft {
        subject: Subject::Address(address.clone()),
        event,
        role,
        source: source(Road::Api, "conformance"),
        actor: Actor::Operator,
        reason: None,
    }
}

/// The events of an address that count, the newest first, and whether each was passed on.
async fn counting(
    store: &dyn Store,
    workspace: WorkspaceId,
    address: &Address,
) -> Vec<(EventId, Fact, bool)> {
    let subject = Subject::Address(address.clone());
    let page = store.history(workspace, &subject, &HistoryQuery::newest(500)).await.unwrap();
    let entries = page.entries.into_iter().filter(|entry| entry.retracted == Retraction::Counts);
    entries
        .map(|it| (it.event.id, it.event.fact, is_passed_on(&it.event.source)))
        .filter(|(_, fact, _)| !matches!(fact, Fact::Retraction(_)))
        .collect()
}

/// Rule 13: untying is a retraction, for the compliance role; it ends what was passed on, both ways,
/// and the provider may name the two again.
pub async fn untying_takes_back_what_was_passed_on(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (phone, id) = (phone(1), channel_id(1));
    let naming = one_account(store, workspace, (&phone, &id), 1);
    store.record(workspace, naming.clone()).await.unwrap();
    for (address, minutes) in [(&phone, 3), (&id, 4)] {
        let yes = said(workspace, address, WHATSAPP, Statement::Single, 2);
        record(store, workspace, yes).await;
        let topic = Permission::Messages(Channel::WhatsApp, Scope::Category(Category::Utility));
        record(store, workspace, said(workspace, address, topic, Statement::OptOut, minutes)).await;
    }
    record(store, workspace, said(workspace, &id, WHATSAPP, Statement::OptOut, 5)).await;
    assert_eq!(of(store, workspace, &phone).await, OPTED_OUT);
    let naming_of_phone = naming[0].id;
    let target = retraction(&phone, naming_of_phone, Role::Other);
    let refused = store.retract(workspace, target).await.unwrap();
    assert!(matches!(refused, Retracting::Refused(RetractionFault::NeedsCompliance)));
    let target = retraction(&phone, naming_of_phone, Role::Compliance);
    assert!(matches!(store.retract(workspace, target).await.unwrap(), Retracting::Done(_)));
    assert_eq!(of(store, workspace, &phone).await, ALLOWED);
    assert_eq!(of(store, workspace, &id).await, OPTED_OUT, "that is its own");
    for address in [&phone, &id] {
        assert_eq!(known(store, workspace, address).await.accounts().count(), 0);
        assert!(counting(store, workspace, address).await.iter().all(|(_, _, passed)| !passed));
    }
    // The same call again is no new naming; a later one is.
    store.record(workspace, naming).await.unwrap();
    assert_eq!(of(store, workspace, &phone).await, ALLOWED);
    store.record(workspace, one_account(store, workspace, (&phone, &id), 9)).await.unwrap();
    assert_eq!(of(store, workspace, &phone).await, OPTED_OUT);
}

/// Rules 9 and 13: what is left out at one address is taken back from the other, and stays where it
/// was passed on to until then.
pub async fn a_refusal_left_out_is_taken_back_from_the_other_address(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (phone, id) = (phone(1), channel_id(1));
    tie(store, workspace, &phone, &id).await;
    record(store, workspace, said(workspace, &id, WHATSAPP, Statement::Single, 2)).await;
    let older = said(workspace, &phone, WHATSAPP, Statement::OptOut, 3);
    let older = record(store, workspace, older).await.id;
    let newer = said(workspace, &phone, WHATSAPP, Statement::OptOut, 4);
    let newer = record(store, workspace, newer).await.id;
    let passed = counting(store, workspace, &id).await.into_iter().find(|(_, _, passed)| *passed);
    let target = retraction(&id, passed.unwrap().0, Role::Compliance);
    let refused = store.retract(workspace, target).await.unwrap();
    assert!(matches!(refused, Retracting::Refused(RetractionFault::PassedOn)));
    for (event, left) in [(newer, OPTED_OUT), (older, ALLOWED)] {
        let target = retraction(&phone, event, Role::Compliance);
        assert!(matches!(store.retract(workspace, target).await.unwrap(), Retracting::Done(_)));
        assert_eq!(of(store, workspace, &id).await, left);
    }
    // Refused and left out twice: it is passed on anew each time.
    for minutes in [6, 7] {
        let again = said(workspace, &phone, WHATSAPP, Statement::OptOut, minutes);
        let again = record(store, workspace, again).await.id;
        assert_eq!(of(store, workspace, &id).await, OPTED_OUT);
        store.retract(workspace, retraction(&phone, again, Role::Compliance)).await.unwrap();
        assert_eq!(of(store, workspace, &id).await, ALLOWED);
    }
}

/// Rules 13 and 16: what an undone import refused, it refuses for no address of the account.
pub async fn an_undone_import_refuses_for_no_address_of_the_account(store: &dyn Store) {
    let workspace = workspace(store).await;
    let import = ImportId::from_bytes([8; 16]);
    tie(store, workspace, &phone(1), &channel_id(1)).await;
    record(store, workspace, said(workspace, &phone(1), WHATSAPP, Statement::Single, 2)).await;
    let listed = |address: &Address, minutes| Draft {
        import: Some(import),
        source: source(Road::Import, "list"),
        ..said(workspace, address, WHATSAPP, Statement::No, minutes)
    };
    record(store, workspace, listed(&channel_id(1), 5)).await;
    assert_eq!(of(store, workspace, &phone(1)).await, OPTED_OUT);
    store.undo_import(workspace, import).await.unwrap();
    assert_eq!(of(store, workspace, &phone(1)).await, ALLOWED);
    // A hold that stood behind one of the import's comes forth for both.
    let of_import = ImportId::from_bytes([9; 16]);
    let hold =
        |address: &Address, minutes| said(workspace, address, WHATSAPP, Statement::Hold, minutes);
    let listed = Draft { import: Some(of_import), ..hold(&phone(1), 9) };
    record(store, workspace, listed).await;
    record(store, workspace, hold(&channel_id(1), 8)).await;
    store.undo_import(workspace, of_import).await.unwrap();
    assert_eq!(of(store, workspace, &phone(1)).await, Some(Reason::UnderReview));
}

/// Rules 13 and 17: an erased address keeps what the other refuses, and the other keeps what the erased
/// one refused; nobody is reached by the address that nobody asked to erase.
pub async fn erasing_one_address_keeps_what_both_refuse(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (phone, id) = (phone(1), channel_id(1));
    tie(store, workspace, &phone, &id).await;
    record(store, workspace, said(workspace, &id, WHATSAPP, Statement::Single, 2)).await;
    record(store, workspace, said(workspace, &phone, WHATSAPP, Statement::OptOut, 3)).await;
    let erasure = of_fact(workspace, &phone, Fact::Erasure, 4);
    store
        .erase(workspace, &Subject::Address(phone.clone()), ErasureReach::Person, erasure)
        .await
        .unwrap();
    assert_eq!(of(store, workspace, &id).await, Some(Reason::Suppressed));
    let later = 60 * 24 * 365 * 50;
    let yes = said(workspace, &id, WHATSAPP, Statement::Single, later);
    record(store, workspace, yes).await;
    assert_eq!(of(store, workspace, &id).await, ALLOWED, "the person came back by it");
    // Refused while nobody knew the phone: it counts once it is heard of again.
    record(store, workspace, said(workspace, &id, WHATSAPP, Statement::OptOut, later)).await;
    record(store, workspace, said(workspace, &phone, SMS, Statement::Single, 5)).await;
    let register = known(store, workspace, &phone).await;
    let refused = register.register(Channel::WhatsApp, Scope::All).unwrap().refusals().max();
    let own = known(store, workspace, &id).await;
    let own = own.register(Channel::WhatsApp, Scope::All).unwrap().refusals().max().unwrap().at;
    assert_eq!(refused.unwrap().at, own);
}

/// A number that changed hands: two accounts, one phone. The phone refuses what either refuses; the
/// accounts are two people for all we know, and no opt-in goes from one to another.
pub async fn a_phone_of_two_accounts_passes_on_only_what_it_refuses_itself(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (old, new) = (channel_id(1), channel_id(2));
    record(store, workspace, said(workspace, &old, WHATSAPP, Statement::Confirmed, 1)).await;
    tie(store, workspace, &phone(1), &old).await;
    tie(store, workspace, &phone(1), &new).await;
    for address in [&new, &phone(1)] {
        assert_eq!(of(store, workspace, address).await, NO_OPT_IN);
        let yes = said(workspace, address, WHATSAPP, Statement::Single, 2);
        record(store, workspace, yes).await;
    }
    let hold = |address: &Address, at| said(workspace, address, WHATSAPP, Statement::Hold, at);
    record(store, workspace, hold(&old, 5)).await;
    assert_eq!(of(store, workspace, &phone(1)).await, Some(Reason::UnderReview));
    assert_eq!(of(store, workspace, &new).await, ALLOWED);
    // The phone's own hold lies behind the one that it was passed on.
    record(store, workspace, hold(&phone(1), 4)).await;
    let registers = known(store, workspace, &new).await;
    let register = registers.register(Channel::WhatsApp, Scope::All).unwrap();
    assert_eq!(register.act(Slot::Hold).map(|hold| hold.at), Some(at(4)));
    record(store, workspace, said(workspace, &phone(1), WHATSAPP, Statement::OptOut, 6)).await;
    assert_eq!(of(store, workspace, &new).await, OPTED_OUT);
}

/// Rule 13: two numbers that are named together are one line, in whatever order it is told; who is named
/// with one of them is named with the other, until the naming is retracted.
pub async fn two_spellings_of_a_number_are_one_for_whoever_is_named_with_either(store: &dyn Store) {
    for order in orders(3) {
        let workspace = workspace(store).await;
        let (ours, theirs, id) = (phone(1), phone(2), channel_id(1));
        let spellings = one_account(store, workspace, (&ours, &theirs), 1);
        for at in &order {
            match at {
                0 => drop(store.record(workspace, spellings.clone()).await.unwrap()),
                1 => tie(store, workspace, &theirs, &id).await,
                _ => {
                    let out = said(workspace, &id, WHATSAPP, Statement::OptOut, 5);
                    record(store, workspace, out).await;
                }
            }
        }
        assert_eq!(of(store, workspace, &ours).await, OPTED_OUT, "order {order:?}");
        assert_eq!(of(store, workspace, &theirs).await, OPTED_OUT, "order {order:?}");
        let target = retraction(&ours, spellings[0].id, Role::Compliance);
        assert!(matches!(store.retract(workspace, target).await.unwrap(), Retracting::Done(_)));
        assert_eq!(of(store, workspace, &ours).await, NO_OPT_IN, "order {order:?}");
        assert_eq!(of(store, workspace, &theirs).await, OPTED_OUT, "order {order:?}");
        assert_eq!(known(store, workspace, &ours).await.accounts().count(), 0, "order {order:?}");
    }
}

/// The other addresses of an address are bounded; one too many is not tied, on either side.
pub async fn an_address_has_a_bounded_number_of_others(store: &dyn Store) {
    let workspace = workspace(store).await;
    let most = u64::try_from(limits::SAME_ACCOUNT_MAX).unwrap();
    for n in 1..=most {
        tie(store, workspace, &phone(1), &channel_id(n)).await;
    }
    let naming = one_account(store, workspace, (&phone(1), &channel_id(most + 1)), 1);
    let recorded = store.record(workspace, naming).await.unwrap();
    assert_eq!(recorded[0].outcome, Outcome::Repeated);
    record(store, workspace, said(workspace, &phone(1), WHATSAPP, Statement::OptOut, 2)).await;
    assert_eq!(of(store, workspace, &channel_id(most)).await, OPTED_OUT);
    assert_eq!(of(store, workspace, &channel_id(most + 1)).await, NO_OPT_IN);
    assert_eq!(
        known(store, workspace, &phone(1)).await.accounts().count(),
        limits::SAME_ACCOUNT_MAX
    );
}

/// Rule 13: a new number takes over refusals, refusals of processing and operators' blocks, never an
/// opt-in; the old one stays as it was; the same news again appends nothing.
pub async fn a_new_number_takes_over_refusals_and_no_opt_in(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let moved = |from: u64, to: u64| {
        of_fact(workspace, &phone(to), Fact::MovedFrom(phone(from).key(&secret)), 8)
    };
    record(store, workspace, said(workspace, &phone(1), WHATSAPP, Statement::Single, 1)).await;
    record(store, workspace, moved(1, 2)).await;
    assert_eq!(of(store, workspace, &phone(2)).await, NO_OPT_IN);
    assert_eq!(of(store, workspace, &phone(1)).await, ALLOWED, "the old one stays as it was");

    record(store, workspace, said(workspace, &phone(3), WHATSAPP, Statement::OptOut, 5)).await;
    record(store, workspace, said(workspace, &phone(4), WHATSAPP, Statement::Single, 3)).await;
    record(store, workspace, said(workspace, &phone(5), WHATSAPP, Statement::Single, 6)).await;
    record(store, workspace, moved(3, 4)).await;
    record(store, workspace, moved(3, 5)).await;
    assert_eq!(of(store, workspace, &phone(4)).await, OPTED_OUT);
    assert_eq!(of(store, workspace, &phone(5)).await, ALLOWED, "agreed to since");

    for (from, fact, expected) in [
        (6, blocked(Switched::On), Reason::Suppressed),
        (8, on(Permission::Processing, Statement::OptOut), Reason::ProcessingRefused),
    ] {
        record(store, workspace, of_fact(workspace, &phone(from), fact, 5)).await;
        record(store, workspace, moved(from, from + 1)).await;
        assert_eq!(of(store, workspace, &phone(from + 1)).await, Some(expected));
    }
    let before = counting(store, workspace, &phone(4)).await;
    assert_eq!(record(store, workspace, moved(3, 4)).await.outcome, Outcome::Retried);
    assert_eq!(counting(store, workspace, &phone(4)).await, before);
    let news = before.iter().find(|(_, fact, _)| matches!(fact, Fact::MovedFrom(_))).unwrap().0;
    store.retract(workspace, retraction(&phone(4), news, Role::Compliance)).await.unwrap();
    assert_eq!(of(store, workspace, &phone(4)).await, ALLOWED);
}
