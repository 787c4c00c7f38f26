//! The contract suite: stories that call every method of [`crate::Store`], for every backend.
//!
//! A backend implements [`Factory`] and calls [`crate::contract_suite!`] once: each story becomes a test of its own, and
//! one more fails when a method of the trait is called by no story.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "every story is a test: it panics where the contract is broken"
)]

mod witness;
mod world;

pub mod access;
pub mod addresses;
pub mod census;
pub mod claims;
pub mod clusters;
pub mod documents;
pub mod history;
pub mod hosts;
pub mod lists;
pub mod lock_histories;
pub mod locks;
pub mod packages;
pub mod path;
pub mod pools;
pub mod provider;
pub mod races;
pub mod reports;
pub mod restores;
pub mod search;
pub mod templates;
pub mod times;
pub mod users;
pub mod watching;

use std::sync::Arc;

use async_trait::async_trait;
use thirdboot_lifecycle::Deadlines;

use crate::{Clock, Limits, Store};

pub use witness::uncalled;

/// Makes stores on one set of data.
#[async_trait]
pub trait Factory: Send + Sync + 'static {
    /// What it makes.
    type Store: Store;

    /// Opens the store on the factory's data, for the first time or again. Also returns how many open permits were
    /// voided because the data is an older copy.
    async fn open(&self, settings: Settings) -> (Arc<Self::Store>, u64);

    /// Sets a copy of the data aside, as a backup would. The store is closed.
    async fn back_up(&self);

    /// Puts the copy back. The store is closed.
    async fn restore(&self);
}

/// By which rules a store is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The only clock.
    pub clock: Arc<Clock>,
    /// When a stage is late.
    pub deadlines: Deadlines,
    /// Caps.
    pub limits: Limits,
}

/// Lists the stories once, for the tests of every backend and for the one that looks whether they call everything.
macro_rules! stories {
    ($d:tt $($room:ident: $($story:ident),+;)+) => {
        /// Tells every story, each on data of its own.
        pub async fn every_story<F: Factory>(fresh: impl Fn() -> F) {
            $($($room::$story(fresh()).await;)+)+
        }

        /// Makes a test of every story. Takes the function that makes a factory with data of its own.
        #[macro_export]
        macro_rules! contract_suite {
            ($d fresh:path) => {
                $($(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $story() {
                        $d crate::contract::$room::$story($d fresh()).await;
                    }
                )+)+

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn every_method_is_called_by_a_story() {
                    $d crate::contract::every_story($d fresh).await;
                    assert_eq!($d crate::contract::uncalled(), Vec::<&str>::new());
                }
            };
        }
    };
}

stories! { $
    hosts: a_host_is_found_by_name_number_and_identifiers, hosts_are_listed_in_pages, hosts_are_added_all_or_none,
        a_description_is_replaced_once, a_taken_identifier_is_refused_and_nothing_changes, a_stranger_is_no_host;
    addresses: an_address_belongs_to_one_host, a_card_named_as_a_port_belongs_to_one_host,
        ready_hosts_are_found_by_their_network;
    pools: a_pool_gives_each_host_an_address_that_stays,
        an_address_is_given_back_with_nothing_but_the_host, a_pool_that_is_empty_says_so, a_pool_fills_its_gaps_from_the_lowest_on, of_many_at_once_no_two_share_an_address,
        a_clusters_pool_gives_each_node_an_address_that_stays,
        no_two_hosts_ever_share_an_address;
    packages: a_repository_is_kept_replaced_and_forgotten, a_role_has_what_it_was_given;
    provider: a_machine_at_its_provider_is_one_hosts, what_a_provider_says_is_told_once,
        power_that_is_not_wanted_now_is_not_asked_for, what_came_of_another_machine_is_refused,
        a_request_that_is_declined_again_is_told_once;
    path: from_armed_to_ready_with_a_restart_between_every_step, a_power_cut_loses_nothing_that_was_answered,
        the_run_before_is_kept;
    reports: a_report_again_is_answered_as_the_first_time, a_refused_report_is_logged_and_refused_again,
        the_same_number_in_another_boot_is_another_report, what_a_ready_host_says_is_observed;
    claims: a_claim_takes_the_permit, a_claim_with_anothers_card_is_refused, a_held_host_is_refused_until_released,
        a_cancelled_permit_grants_nothing;
    locks: a_slot_is_held_by_one_host_until_it_gives_it_back, a_drain_comes_before_the_grant, a_late_word_releases_nothing,
        the_turn_is_that_of_who_waits_longest, nobody_waits_behind_what_they_asked_for_before,
        a_groups_settings_are_kept_and_reset, a_host_that_is_removed_holds_nothing,
        a_new_install_of_a_ready_host_waits, of_many_at_once_no_more_hold_a_slot_than_there_are;
    lock_histories: over_random_histories_no_more_are_away_than_there_are_slots;
    documents: documents_live_until_the_install_is_complete, the_next_run_replaces_documents;
    times: a_permit_expires_when_its_time_is_over, a_late_stage_stalls_and_then_fails, time_never_runs_backwards;
    lists: the_log_is_read_in_pages, a_change_wakes_those_who_wait, what_is_over_the_caps_goes,
        unknown_machines_are_counted_and_capped, a_token_is_found_by_its_hash, a_closed_store_says_so;
    templates: every_save_of_a_template_is_a_version, a_template_that_moved_is_not_overwritten,
        templates_are_listed_in_their_order, versions_of_a_template_are_capped, what_a_machine_was_installed_with_is_kept;
    races: of_two_claims_one_is_granted, two_hundred_reports_are_each_recorded_once, a_refusal_spoils_no_other;
    census: hosts_are_counted_by_the_stage_of_their_run;
    clusters: a_cluster_is_kept_and_replaced_by_who_saw_it_last, of_two_who_would_begin_one_does,
        a_cluster_with_hosts_stays, a_cluster_that_begins_makes_every_older_copy_doubtful,
        a_host_that_waits_for_its_turn_is_remembered, the_api_makes_a_host_ready;
    access: tokens_are_listed_with_their_last_use, the_last_admins_token_stays,
        an_answer_is_kept_with_what_it_speaks_of, a_kept_answer_ages_out, the_audit_is_read_in_pages_and_ages_out,
        a_host_is_removed_when_it_is_retired;
    search: a_host_is_found_by_a_part_of_what_it_is_known_by, a_list_is_narrowed_by_what_hosts_are,
        hosts_are_listed_and_counted_by_where_they_stand;
    watching: the_log_is_searched, a_search_goes_on_where_it_stopped, a_stranger_becomes_a_host, an_inventory_is_taken_whole_or_not_at_all, deadlines_are_set,
        a_conflict_is_remembered;
    users: users_are_kept_by_name, the_first_user_is_the_first_with_a_password, there_is_always_an_admin, a_session_ends, a_role_counts_at_once, a_link_is_followed_once;
    restores: a_restored_backup_grants_nothing, a_restored_backup_lets_nobody_in, a_claimed_run_is_void_after_a_restore, a_restart_voids_nothing;
}
