//! The API through the real router, over a store in memory. Names of tests are rules.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should stop there"
)]

mod support;

mod accounts;
mod authorization;
mod batch;
mod check;
mod clear_addresses;
mod clock;
mod configuration;
mod connections;
mod consents;
mod docs;
mod doors;
mod double_opt_in;
mod emails;
mod entry;
mod events;
mod every_operation;
mod exports;
mod findings;
mod form_configuration;
mod forms;
mod gupshup_users;
mod heard;
mod hidden_refusals;
mod hooks;
mod imports;
mod inferred;
mod input;
mod link_base;
mod link_classes;
mod list_rows;
mod live_sandbox;
mod logs;
mod look_ups;
mod message_links;
mod messages;
mod messages_of_a_person;
mod national_senders;
mod number_proof;
mod numbers;
mod pacing;
mod people;
mod policies;
mod preference_request;
mod preferences;
mod problems;
mod profiles;
mod provider_start;
mod providers;
mod question;
mod real;
mod reassigned;
mod rejects;
mod revisions;
mod rules;
mod scenarios;
mod sender_health;
mod serving;
mod spellings;
mod store_faults;
mod strangers;
mod tag;
mod tls;
mod unread;
mod unsubscribe;
mod who_said_no;
mod words;
