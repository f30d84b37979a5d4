//! Workspaces and their configuration.

use sayso_core::gate::reason::Reason;
use sayso_core::id::{NoticeId, TopicId};
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::words::channel::{Category, Channel};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::words::statement::Statement;

use super::build::{SMS, known, marketing, phone, reason, record, said, workspace};
use crate::Store;
use crate::configure::configure_now;
use crate::store::{HistoryQuery, StoreError};
use sayso_core::workspace::{Change, Topic};
use sayso_plan::draft::Subject;

/// What one workspace knows, no other does.
pub async fn workspaces_do_not_see_each_other(store: &dyn Store) {
    let (one, two) = (workspace(store).await, workspace(store).await);
    record(store, one, said(one, &phone(1), SMS, Statement::Single, 1)).await;
    assert_eq!(reason(store, one, &phone(1), marketing()).await, None);
    assert_eq!(reason(store, two, &phone(1), marketing()).await, Some(Reason::NoOptIn));
    assert!(known(store, two, &phone(1)).await.is_empty());
    let nobody = sayso_core::id::WorkspaceId::from_bytes([1; 16]);
    let answer = store.history(nobody, &Subject::Address(phone(1)), &HistoryQuery::newest(1)).await;
    assert!(matches!(answer, Err(StoreError::NoWorkspace)));
}

/// The words people agreed to stay what they were.
pub async fn a_published_notice_never_changes(store: &dyn Store) {
    let workspace = workspace(store).await;
    let notice = |text: &str| Notice {
        id: NoticeId::from_bytes([1; 16]),
        version: 1,
        language: Language::parse("en").unwrap(),
        text: text.into(),
        names: vec![SMS],
    };
    configure_now(store, workspace, Change::Notice(notice("Yes, text me."))).await.unwrap();
    let after =
        configure_now(store, workspace, Change::Notice(notice("Something else."))).await.unwrap();
    let kept = &after.notices[&NoticeId::from_bytes([1; 16])].versions;
    assert_eq!(kept.values().map(|notice| &*notice.text).collect::<Vec<_>>(), ["Yes, text me."]);
}

/// A topic's category is fixed (rule 25).
pub async fn a_topic_keeps_its_category(store: &dyn Store) {
    let workspace = workspace(store).await;
    let id = TopicId::from_bytes([1; 16]);
    let topic = |category| Topic { name: "Orders".into(), category, code: None, deleted_at: None };
    configure_now(store, workspace, Change::Topic(id, topic(Category::Utility))).await.unwrap();
    let after = configure_now(store, workspace, Change::Topic(id, topic(Category::Marketing)))
        .await
        .unwrap();
    assert_eq!(after.topics[&id].category, Category::Utility);
}

/// Settings hold from their time on, and those of before are still known.
pub async fn settings_are_dated(store: &dyn Store) {
    let workspace = workspace(store).await;
    let settings =
        |default| Settings { defaults: [(Channel::Sms, default)].into(), ..Settings::default() };
    configure_now(store, workspace, Change::Settings(settings(ChannelDefault::OptedOut)))
        .await
        .unwrap();
    let after =
        configure_now(store, workspace, Change::Settings(settings(ChannelDefault::OptedIn)))
            .await
            .unwrap();
    let versions: Vec<_> = after.settings.iter().collect();
    assert_eq!(versions.len(), 2);
    assert_eq!(after.settings.at(versions[0].0), settings(ChannelDefault::OptedOut));
    assert_eq!(after.settings.at(versions[1].0), settings(ChannelDefault::OptedIn));
}

/// After a close every write is refused with a word for it.
pub async fn a_closed_store_takes_nothing(store: &dyn Store) {
    let workspace = workspace(store).await;
    store.close().await.unwrap();
    let answer =
        store.record(workspace, vec![said(workspace, &phone(1), SMS, Statement::OptOut, 1)]).await;
    assert!(matches!(answer, Err(StoreError::Closed)));
}
