//! Whatever the API can do, the command line can: every operation of the OpenAPI document has its command here, or a
//! reason why it has none.

use std::collections::{BTreeMap, BTreeSet};

use clap::Subcommand as _;

use crate::api::operation_ids;

/// Operation, and the command that asks for it.
const COMMANDS: &[(&str, &str)] = &[
    ("adopt_unknown_machine", "unknown adopt"),
    ("arm_host", "host arm"),
    ("cancel_host", "host cancel"),
    ("cancel_pull", "assets cancel"),
    ("change_deadlines", "settings deadlines set"),
    ("count_hosts", "host counts"),
    ("create_asset_file", "assets add"),
    ("create_cluster", "cluster add"),
    ("create_host", "host add"),
    ("create_pull", "assets pull"),
    ("create_token", "token create"),
    ("list_users", "user list"),
    ("create_user", "user add"),
    ("delete_user", "user remove"),
    ("set_password", "user password"),
    ("set_role", "user role"),
    ("create_user_link", "user link"),
    ("delete_asset_file", "assets remove"),
    ("delete_asset_version", "assets remove"),
    ("delete_cluster", "cluster delete"),
    ("delete_host", "host delete"),
    ("delete_template", "template delete"),
    ("diff_host", "host diff"),
    ("diff_template", "template diff"),
    ("dismiss_unknown_machine", "unknown dismiss"),
    ("get_boot_url", "host boot-url"),
    ("get_cluster", "cluster show"),
    ("get_deadlines", "settings deadlines show"),
    ("get_host", "host show"),
    ("get_kubeconfig", "cluster kubeconfig"),
    ("get_lock_group", "lock group show"),
    ("get_observed", "host observed"),
    ("get_pull", "assets watch"),
    ("get_repository", "repository show"),
    ("get_role", "role show"),
    ("get_run", "host run"),
    ("get_template", "template show"),
    ("get_template_version", "template show"),
    ("hold_host", "host hold"),
    ("import_hosts", "host import"),
    ("list_alerts", "alerts"),
    ("list_assets", "assets list"),
    ("list_audit", "audit"),
    ("list_boots", "host boots"),
    ("list_clusters", "cluster list"),
    ("list_events", "events"),
    ("list_hosts", "host list"),
    ("list_locks", "lock list"),
    ("list_pulls", "assets pulls"),
    ("list_repositories", "repository list"),
    ("list_roles", "role list"),
    ("list_runs", "host runs"),
    ("list_template_versions", "template versions"),
    ("list_templates", "template list"),
    ("list_tokens", "token list"),
    ("list_unknown_machines", "unknown list"),
    ("move_init", "cluster move-init"),
    ("preview_host", "host preview"),
    ("preview_template", "host preview"),
    ("put_asset_file", "assets add"),
    ("put_lock_group", "lock group set"),
    ("put_repository", "repository add"),
    ("put_role", "role set"),
    ("release_host", "host release"),
    ("release_lock", "lock release"),
    ("remove_repository", "repository remove"),
    ("replace_host", "host edit"),
    ("reset_lock_group", "lock group reset"),
    ("retire_host", "host retire"),
    ("revoke_token", "token revoke"),
    ("rotate_host_key", "host rotate-key"),
    ("rotate_token", "cluster rotate-token"),
    ("save_template", "template save"),
    ("set_kubeconfig", "cluster kubeconfig"),
    ("unretire_host", "host unretire"),
    ("update_cluster", "cluster update"),
    ("update_host", "host update"),
    ("validate_template", "template validate"),
    ("wait_for_host", "host wait"),
    ("whoami", "whoami"),
];

/// Operation, and why no command asks for it.
const WITHOUT: &[(&str, &str)] = &[
    ("healthz", "for supervisors; `thirdboot doctor` asks for readyz"),
    ("list_host_events", "`events --host` asks for the same by list_events"),
    ("metrics", "for Prometheus"),
    ("openapi", "for generators of clients"),
    ("readyz", "for load balancers; `thirdboot doctor` asks for it"),
    ("stream_events", "for browsers; `events --follow` waits by list_events"),
    (
        "stream_host_events",
        "for browsers; `events --host --follow` waits by list_events",
    ),
];

#[test]
fn every_operation_has_a_command_or_a_reason() {
    let told: BTreeMap<&str, &str> = COMMANDS.iter().chain(WITHOUT).copied().collect();
    assert_eq!(told.len(), COMMANDS.len() + WITHOUT.len(), "told twice");
    let told: BTreeSet<&str> = told.into_keys().collect();
    let known = operation_ids();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let missing: Vec<_> = known.difference(&told).collect();
    assert!(missing.is_empty(), "no command and no reason: {missing:?}");
    let gone: Vec<_> = told.difference(&known).collect();
    assert!(gone.is_empty(), "no operation: {gone:?}");
}

#[test]
fn every_command_that_is_named_is_there() {
    let binary = super::Command::augment_subcommands(clap::Command::new("thirdboot"));
    for (operation, line) in COMMANDS {
        let found = line
            .split(' ')
            .try_fold(&binary, |command, word| command.find_subcommand(word));
        assert!(found.is_some(), "{operation}: there is no `thirdboot {line}`");
    }
}
