//! The conformance suite: one function for each behaviour that every backend owes its callers.
//!
//! A function takes a fresh store and panics where the store is wrong; [`all`](crate::conformance_cases)
//! is the one list. Nothing here knows a backend.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a conformance case fails by panicking"
)]

mod accounts;
mod activity;
mod addresses;
mod build;
mod double_opt_ins;
mod forms;
mod gate;
mod guards;
mod ledger;
mod messages;
mod pacing;
mod people;
mod references;
mod revisions;
mod senders;
mod suppressions;
mod work;
mod workspace;

pub use self::accounts::*;
pub use self::activity::*;
pub use self::addresses::*;
pub use self::build::*;
pub use self::double_opt_ins::*;
pub use self::forms::*;
pub use self::gate::*;
pub use self::guards::*;
pub use self::ledger::*;
pub use self::messages::*;
pub use self::pacing::*;
pub use self::people::*;
pub use self::references::*;
pub use self::revisions::*;
pub use self::senders::*;
pub use self::suppressions::*;
pub use self::work::*;
pub use self::workspace::*;

/// Calls `$case!(name)` for every case of the suite.
#[macro_export]
macro_rules! conformance_cases {
    ($case:ident) => {
        $case!(an_appended_event_is_in_the_registers_and_the_history);
        $case!(a_repeated_request_is_the_first_event);
        $case!(a_key_with_other_content_is_a_conflict_and_stores_nothing);
        $case!(a_key_used_for_another_person_is_a_conflict);
        $case!(an_undated_report_that_repeats_its_source_is_dropped);
        $case!(a_source_that_changes_its_mind_is_heard);
        $case!(recorded_times_never_run_backwards);
        $case!(no_event_occurs_after_its_receipt);
        $case!(a_retraction_leaves_an_event_out_and_cannot_be_undone);
        $case!(a_refusal_from_the_person_is_never_retracted);
        $case!(as_of_knows_what_was_known_and_effective_at_what_was_true);
        $case!(a_past_history_holds_and_marks_what_it_did_then);
        $case!(history_pages_are_complete_and_newest_first);
        $case!(a_batch_is_all_or_nothing_and_in_order);
        $case!(a_tick_beside_a_refusal_lifts_nothing);
        $case!(what_a_guard_weakens_says_why);
        $case!(an_unproven_no_of_one_source_too_many_is_the_sites_own);
        $case!(a_row_beside_a_refusal_is_held);
        $case!(a_yes_from_an_older_page_is_not_written_over_a_refusal);
        $case!(start_says_what_it_says_when_it_is_written);
        $case!(the_gate_answers_as_the_rules_do);
        $case!(the_gate_follows_every_write_before_the_answer);
        $case!(unknown_people_get_the_default);
        $case!(a_hashed_refusal_meets_its_address_later);
        $case!(a_refusal_under_another_form_of_the_number_denies);
        $case!(an_opt_in_never_crosses_to_another_form);
        $case!(a_hash_of_another_form_denies);
        $case!(a_guard_sees_what_another_form_refuses);
        $case!(an_erasure_takes_the_old_forms_along);
        $case!(an_audience_holds_each_person_once);
        $case!(a_past_audience_is_who_was_in_it);
        $case!(a_past_audience_goes_by_the_clock_and_the_settings_of_then);
        $case!(a_message_goes_its_way_from_the_queue_to_the_person);
        $case!(what_a_message_says_is_kept_as_it_was_said);
        $case!(a_refusal_in_the_queue_is_obeyed_by_the_claim);
        $case!(a_refusal_after_the_claim_keeps_the_hand_over_from_beginning);
        $case!(a_revoked_claim_of_somebody_who_still_agrees_goes_the_second_time);
        $case!(a_message_that_waits_follows_the_settings_of_its_turn);
        $case!(a_report_that_comes_before_the_providers_id_is_heard_when_that_is_written);
        $case!(a_retried_request_queues_one_message);
        $case!(messages_of_a_person_are_found_by_address);
        $case!(a_refused_message_goes_by_the_next_channel_that_allows_it);
        $case!(a_message_past_its_time_fails);
        $case!(each_end_of_a_hand_over_is_kept);
        $case!(messages_of_a_paused_sender_wait_and_go_when_it_is_resumed);
        $case!(a_refusal_during_a_pause_is_obeyed);
        $case!(a_pause_after_the_claim_keeps_the_hand_over_from_beginning);
        $case!(late_signals_fold_right_and_the_past_is_as_it_was_known);
        $case!(a_message_is_decided_as_its_template_too);
        $case!(counts_are_kept_by_sender_and_workspace);
        $case!(counts_of_an_entry_point_are_sums_for_good);
        $case!(a_reference_is_kept_as_it_was_ticked_and_once);
        $case!(a_reference_is_used_up_by_one_message_that_may_be_told_twice);
        $case!(a_reference_is_good_for_who_typed_no_address_or_this_one);
        $case!(references_of_another_workspace_are_not_seen);
        $case!(an_erased_person_leaves_no_reference);
        $case!(a_right_answer_is_the_same_however_often_it_is_given);
        $case!(a_code_is_dead_after_five_wrong_ones);
        $case!(an_address_is_asked_once_and_its_code_is_good_for_what_came_after);
        $case!(an_answer_after_seven_days_is_too_late);
        $case!(questions_are_counted_by_what_they_have_in_common);
        $case!(a_question_is_queued_with_what_waits_for_it);
        $case!(a_double_opt_in_is_of_its_workspace_and_gone_with_its_person);
        $case!(failures_of_an_address_are_counted_since_a_message_arrived);
        $case!(quiet_hours_go_by_the_zone_that_is_known_best);
        $case!(a_message_in_quiet_hours_waits_for_their_end);
        $case!(a_cap_counts_what_was_handed_over_and_what_is_claimed);
        $case!(two_messages_claimed_at_once_do_not_both_pass_a_cap_of_one);
        $case!(what_failed_before_its_hand_over_does_not_count);
        $case!(a_held_message_goes_by_the_channel_that_is_free_first);
        $case!(a_suppression_outranks_an_opt_in_until_it_is_cleared);
        $case!(a_complaint_and_a_reassignment_are_lifted_by_a_later_act_of_the_person);
        $case!(an_invalid_address_is_lifted_by_a_message_from_it);
        $case!(an_operators_block_is_lifted_by_an_operator);
        $case!(a_providers_block_is_lifted_by_its_own_signal);
        $case!(a_suppression_blocks_what_it_names_and_nothing_else);
        $case!(a_message_makes_its_person_active_for_a_day_on_that_sender_alone);
        $case!(the_latest_message_keeps_its_person_active);
        $case!(an_answer_goes_to_who_wrote_after_they_refused);
        $case!(free_words_on_whatsapp_go_to_who_is_active_on_that_sender);
        $case!(a_profile_is_found_by_each_of_its_addresses);
        $case!(several_profiles_for_one_set_of_addresses_are_ambiguous);
        $case!(an_address_of_three_profiles_refuses_for_all);
        $case!(linking_carries_refusals_and_never_an_opt_in);
        $case!(linking_carries_by_the_kind_of_the_address);
        $case!(a_processing_refusal_made_before_the_link_reaches_the_person);
        $case!(unlinking_takes_back_a_processing_refusal_from_the_others);
        $case!(retracting_a_refusal_takes_back_what_was_carried_from_it);
        $case!(unlinking_takes_back_what_linking_carried);
        $case!(a_processing_refusal_reaches_every_address_of_the_person);
        $case!(attributes_are_not_kept_for_who_refused_processing);
        $case!(a_refusal_of_processing_destroys_the_attributes_that_were_kept);
        $case!(a_refusal_that_was_lifted_before_it_came_discards_nothing);
        $case!(a_refusal_that_stands_again_destroys_what_was_kept_meanwhile);
        $case!(linking_an_address_that_refuses_processing_discards_attributes);
        $case!(attributes_that_came_with_an_address_that_left_are_destroyed_too);
        $case!(erasure_destroys_attributes_under_an_address_that_others_share);
        $case!(erasure_of_an_address_leaves_the_others_of_the_person);
        $case!(a_profile_has_a_bounded_number_of_addresses);
        $case!(an_address_of_another_profile_is_not_linked_by_the_way);
        $case!(the_order_of_a_naming_and_of_refusals_cannot_matter);
        $case!(a_refusal_for_one_address_denies_the_other_of_its_account);
        $case!(untying_takes_back_what_was_passed_on);
        $case!(a_refusal_left_out_is_taken_back_from_the_other_address);
        $case!(an_undone_import_refuses_for_no_address_of_the_account);
        $case!(erasing_one_address_keeps_what_both_refuse);
        $case!(a_phone_of_two_accounts_passes_on_only_what_it_refuses_itself);
        $case!(two_spellings_of_a_number_are_one_for_whoever_is_named_with_either);
        $case!(an_address_has_a_bounded_number_of_others);
        $case!(a_new_number_takes_over_refusals_and_no_opt_in);
        $case!(erasure_destroys_what_is_personal_and_keeps_the_refusal);
        $case!(an_erasure_keeps_its_reason_and_says_how_much_it_destroyed);
        $case!(an_erased_person_is_reached_by_nobody_and_may_come_back);
        $case!(an_undone_import_leaves_out_everything_it_brought);
        $case!(a_span_of_a_source_is_left_out_in_parts_that_go_on_where_one_ended);
        $case!(every_address_is_listed_once_in_the_order_of_the_keys);
        $case!(an_event_is_found_by_its_address_and_id);
        $case!(a_refusal_by_the_key_alone_is_heard_and_forgets_no_address);
        $case!(links_are_made_with_the_newest_key);
        $case!(workspaces_do_not_see_each_other);
        $case!(a_published_notice_never_changes);
        $case!(a_topic_keeps_its_category);
        $case!(settings_are_dated);
        $case!(a_change_planned_on_what_has_moved_is_not_applied);
        $case!(of_changes_queued_together_on_one_revision_one_is_applied);
        $case!(changes_that_are_planned_again_are_all_applied);
        $case!(what_is_told_moves_no_revision_and_waits_for_none);
        $case!(a_group_of_held_refusals_is_decided_once);
        $case!(no_refusal_joins_a_group_that_was_decided);
        $case!(one_group_of_a_sender_and_day_is_open);
        $case!(a_closed_store_takes_nothing);
        $case!(a_reject_is_kept_as_it_was_sent);
        $case!(rejects_are_read_newest_first_by_source_and_code);
        $case!(the_oldest_rejects_of_a_workspace_go_first);
        $case!(a_look_up_is_found_by_everybody_it_was_about);
        $case!(look_ups_of_another_workspace_are_not_seen);
        $case!(a_closed_store_notes_no_look_up);
    };
}
