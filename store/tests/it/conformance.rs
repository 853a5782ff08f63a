//! What every store must do. Each body takes a store; one macro runs them all.

mod accounts;
mod apps;
mod attempts;
mod claims;
mod disk;
mod nouns;
mod overrides;
mod sessions;
mod tasks;
mod webhooks;

pub(crate) use self::accounts::*;
pub(crate) use self::apps::*;
pub(crate) use self::attempts::*;
pub(crate) use self::claims::*;
pub(crate) use self::disk::*;
pub(crate) use self::nouns::*;
pub(crate) use self::overrides::*;
pub(crate) use self::sessions::*;
pub(crate) use self::tasks::*;
pub(crate) use self::webhooks::*;

/// Runs every body of the suite on a store that `$open` makes.
macro_rules! suite {
    ($open:path) => {
        crate::conformance::suite!($open;
            accounts_are_numbered_from_one,
            an_account_is_renamed_and_its_switch_is_kept,
            principals_are_kept_whole_and_their_names_are_unique,
            a_principal_is_removed_with_only_its_own_tokens,
            a_token_is_found_by_its_hash_alone,
            a_token_without_a_principal_is_not_kept,
            names_of_issued_tokens_are_unique_and_those_of_sessions_are_not,
            a_session_is_kept_whole_and_removed_with_its_token,
            the_oldest_sessions_are_evicted_and_no_tokens,
            a_login_that_comes_too_late_ends_no_other,
            apps_are_kept_whole_and_their_names_are_unique,
            an_app_that_a_hook_is_bound_to_is_not_removed,
            a_hook_for_containers_is_kept_whole,
            a_hooks_name_is_unique_if_it_has_one,
            a_hook_whose_app_or_source_is_unknown_is_not_kept,
            overrides_are_kept_whole_and_one_for_each_hook_and_app,
            an_override_whose_app_or_hook_is_unknown_is_not_kept,
            overrides_are_removed_with_their_hook_or_their_app,
            tenancy_is_kept_apart_between_accounts,
            servers_are_kept_whole_and_their_names_are_unique,
            a_server_that_a_hook_names_is_not_removed,
            sources_and_hooks_are_kept_whole,
            a_program_is_wanted_as_long_as_a_source_or_an_open_execution_has_it,
            a_source_and_hooks_that_cannot_be_kept_together_are_not_kept_at_all,
            replacing_a_source_replaces_its_hooks_if_they_are_given,
            numbers_are_not_given_twice,
            a_source_that_has_a_number_keeps_it_and_others_count_from_one,
            a_source_with_hooks_is_not_removed,
            a_task_and_its_executions_are_kept_whole,
            the_container_of_an_execution_is_kept_whole,
            a_repeated_event_names_the_first_task,
            a_repeated_event_with_different_content_is_a_conflict,
            a_task_without_executions_finishes_at_once,
            the_outcome_of_an_attempt_is_kept_whole,
            the_output_of_a_task_is_read_as_far_as_it_fits,
            an_output_is_read_in_parts,
            the_outcomes_of_many_tasks_are_read_at_once,
            every_attempt_is_kept_whole,
            an_execution_is_read_with_what_its_attempts_are_given,
            attempts_are_charged_and_removed_with_their_execution,
            a_redriven_execution_keeps_the_newest_attempts,
            an_attempt_killed_with_the_server_takes_nothing_from_the_others,
            settlements_take_effect_in_their_order,
            a_task_in_progress_reports_its_progress,
            unowned_tasks_are_claimed_oldest_first_whatever_the_clock_shows,
            no_wait_is_longer_than_its_delay,
            first_attempts_and_retries_do_not_keep_each_other_waiting,
            the_time_that_was_seen_is_kept,
            what_a_killed_run_had_noted_is_counted_and_nothing_else,
            a_requested_shutdown_blames_no_execution,
            an_open_store_is_ready_and_a_closed_one_is_not,
            tasks_of_many_executions_are_claimed_few_at_a_time,
            a_parked_task_is_claimed_when_it_is_due,
            a_new_node_adopts_tasks_and_raises_attempts,
            a_waiting_task_is_cancelled_and_an_owned_one_is_marked,
            one_execution_is_cancelled_and_ends_its_task,
            waiting_executions_of_a_hook_are_cancelled_if_no_node_owns_them,
            a_failed_execution_is_redriven,
            lists_continue_after_a_page,
            old_and_surplus_tasks_are_removed_with_what_nothing_refers_to,
            accounts_are_isolated_from_each_other,
            what_an_account_has_on_the_disk_is_counted_as_it_changes,
            a_program_is_charged_to_each_account_that_needs_it_and_removed_with_the_last,
            a_program_that_was_damaged_is_replaced_when_it_is_stored_again,
            parked_tasks_keep_nothing_from_being_removed,
            accounts_take_turns_when_much_is_to_be_removed,
            the_oldest_tasks_of_an_account_that_has_too_much_are_removed,
            a_task_larger_than_one_sweep_is_removed_by_several,
            an_event_is_known_for_its_horizon_after_its_task_was_removed,
            the_content_of_an_event_is_known_after_its_task_was_removed,
            only_so_many_events_of_an_account_are_remembered,
            a_recipe_that_two_accounts_share_stays_for_the_one_that_needs_it,
        );
    };
    ($open:path; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (_kept, store) = $open().await;
                crate::conformance::$name(&*store).await;
            }
        )*
    };
}
pub(crate) use suite;

/// Runs every body about maintenance sessions on a store that `$open` makes.
macro_rules! session_suite {
    ($open:path) => {
        crate::conformance::suite!($open;
            a_session_is_kept_whole_and_in_its_latest_state,
            steps_are_kept_in_their_order_with_the_session,
            the_oldest_of_too_many_steps_are_forgotten,
            an_account_has_no_more_sessions_than_it_may,
            a_host_belongs_to_one_unfinished_session,
            a_session_is_removed_with_its_steps,
            constraints_are_kept_in_place_of_what_was_before,
            sessions_and_constraints_are_kept_apart_between_accounts,
        );
    };
}
pub(crate) use session_suite;

/// Runs every body about webhooks on a store that `$open` makes.
macro_rules! webhook_suite {
    ($open:path) => {
        crate::conformance::suite!($open;
            a_webhook_is_kept_whole_and_switched,
            an_unknown_webhook_is_not_found,
            a_delivery_is_kept_whole_once,
            deliveries_are_due_in_order_and_separately_for_each_webhook,
            the_result_of_an_attempt_is_stored_whole,
            nothing_is_due_while_a_webhook_is_paused,
            no_delivery_and_no_pause_outlasts_its_delay,
            a_delivery_that_does_not_wait_is_not_changed,
            the_oldest_deliveries_are_evicted,
            deliveries_are_removed_with_their_webhook,
            old_and_surplus_deliveries_are_pruned,
        );
    };
}
pub(crate) use webhook_suite;
