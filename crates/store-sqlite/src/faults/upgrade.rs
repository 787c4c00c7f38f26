//! A database of the first schema with a host in every stage: each of them is there after an upgrade, and goes on.

use std::path::Path;

use jiff::SignedDuration;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use thirdboot_lifecycle::{
    BootId, Claim, Disk, Identity, NetworkFacts, Permit, Purpose, Report, Role, RunNumber, Said, Script, SecretKind,
    Stage,
};
use thirdboot_store::{
    Actor, Counts as _, Document, DocumentKind, HostId, HostState, Store as _, Submission, SubmitError,
};

use super::{open, options};
use crate::SqliteStore;
use crate::maintenance::{backup, check, migrate, restore};

/// What the first version wrote: host n is in the n-th stage. Never to be changed: these texts are in databases.
const ROWS: &str = include_str!("every_stage.sql");

/// The host that is in this stage.
fn in_stage(stage: Stage) -> HostId {
    let at = Stage::ALL.iter().position(|other| *other == stage).unwrap();
    HostId(u64::try_from(at + 1).unwrap())
}

/// A data folder as the first version left it.
pub(super) async fn first_version(folder: &Path) {
    let at = SqliteConnectOptions::new()
        .filename(folder.join("thirdboot.db"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(at).await.unwrap();
    crate::schema::MIGRATIONS.run_to(1, &pool).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    let (epoch, permit_seq, last_host): (String, i64, i64) =
        sqlx::query_as("SELECT epoch, permit_seq, last_host FROM meta")
            .fetch_one(&pool)
            .await
            .unwrap();
    pool.close().await;
    let mark = serde_json::json!({"epoch": epoch, "permit_seq": permit_seq, "last_host": last_host});
    std::fs::write(folder.join("epoch"), mark.to_string()).unwrap();
}

fn boot(n: u8) -> BootId {
    format!("00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

fn claim(state: &HostState, run: RunNumber) -> Submission {
    let disk = Disk {
        path: "/dev/disk/by-id/disk-a".into(),
        serial: Some(format!("DISK-{}", state.id.0)),
        size_bytes: 100 << 30,
        ..Disk::default()
    };
    Submission::Claim(Box::new(Claim {
        run,
        boot_id: boot(1),
        identity: identity(state),
        disk: disk.clone(),
        disks: vec![disk],
    }))
}

fn identity(state: &HostState) -> Identity {
    Identity {
        macs: state.host.macs.clone(),
        serial: None,
        uuid: None,
    }
}

fn arm(state: &HostState, store: &SqliteStore) -> Submission {
    let now = store.now();
    let document = |kind: DocumentKind| Document {
        kind,
        sha512: "ab".repeat(64),
        sealed: kind.as_str().into(),
    };
    Submission::Arm {
        permit: Permit {
            purpose: Purpose::Install {
                disk: None,
                wipe: Vec::new(),
            },
            issued_at: now,
            expires_at: now + SignedDuration::from_hours(24),
            attempts: 3,
            power: None,
            voided: None,
        },
        documents: vec![document(DocumentKind::Live), document(DocumentKind::Assets)],
        expected_version: state.version,
        by: Actor::Token("admin".into()),
    }
}

/// What comes next for a host, and the stage it leads to.
fn next(state: &HostState, store: &SqliteStore) -> (Submission, Stage) {
    let Some(run) = &state.run else {
        return (arm(state, store), Stage::Armed);
    };
    let number = run.number;
    let seq = u64::try_from(Stage::ALL.iter().position(|stage| *stage == run.stage).unwrap()).unwrap();
    let says = |boot_id: u8, said: Said| Submission::Report {
        by: said.secret().unwrap_or(SecretKind::Host),
        report: Box::new(Report {
            run: number,
            boot_id: boot(boot_id),
            seq,
            said,
            message: None,
        }),
        log: None,
    };
    match run.stage {
        Stage::Armed => {
            let script = Script::Install(number);
            (Submission::Script { script }, Stage::Netbooting)
        }
        Stage::Netbooting => {
            let identity = identity(state);
            (says(1, Said::Live { identity }), Stage::Live)
        }
        Stage::Live => (claim(state, number), Stage::Installing),
        Stage::Installing => {
            let said = Said::Installed {
                image: None,
                version: Some("43.1".into()),
                disk_serial: None,
                config_sha256: None,
            };
            (says(1, said), Stage::Installed)
        }
        Stage::Installed => {
            let said = Said::FirstBoot {
                os_version: Some("43.1".into()),
                deployment: Some("c1".into()),
            };
            (says(2, said), Stage::FirstBoot)
        }
        Stage::FirstBoot => (says(2, Said::Layering), Stage::Layering),
        Stage::Layering => {
            let deployment = "c2".into();
            (says(2, Said::Layered { deployment }), Stage::Layered)
        }
        Stage::Layered => {
            let said = Said::LayeredBoot {
                os_version: Some("43.1".into()),
                deployment: "c2".into(),
            };
            (says(3, said), Stage::LayeredBoot)
        }
        Stage::LayeredBoot => (says(3, Said::Network(NetworkFacts::default())), Stage::Networked),
        Stage::Networked if run.role == Role::Runner => (says(3, Said::Ready), Stage::Ready),
        Stage::Networked => {
            let boot_id = boot(3);
            (Submission::JoinHandedOut { run: number, boot_id }, Stage::Joining)
        }
        Stage::Joining => (says(3, Said::Ready), Stage::Ready),
        Stage::Ready | Stage::Failed | Stage::Cancelled => (arm(state, store), Stage::Armed),
    }
}

/// Takes the next step, and gives the host after it.
async fn step(store: &SqliteStore, id: HostId) -> Result<HostState, SubmitError> {
    let state = store.host_by_id(id).await?.unwrap();
    let (submission, leads_to) = next(&state, store);
    let answer = store.submit(id, submission).await?;
    let after = store.host_by_id(id).await?.unwrap();
    assert_eq!(after.run.as_ref().unwrap().stage, leads_to, "{answer:?}");
    Ok(after)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_every_stage_survives_the_upgrade_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    first_version(folder.path()).await;
    let (store, opened) = open(folder.path()).await;
    assert_eq!((opened.created, opened.voided_permits), (false, 0));
    let census = store.census().await.unwrap();
    assert_eq!(census.hosts, 14);
    for stage in Stage::ALL {
        assert_eq!(census.runs.get(&stage), Some(&1), "{stage}");
        let id = in_stage(stage);
        let state = store.host_by_id(id).await.unwrap().unwrap();
        let run = state.run.as_ref().unwrap();
        assert_eq!((run.stage, state.host.labels["rack"].as_str()), (stage, "r1"));
        let is_served = stage < Stage::Installed;
        let document = store.document(id, run.number, DocumentKind::Live).await.unwrap();
        assert_eq!(document.is_some(), is_served, "documents in {stage}");
        assert!(!super::log(&store, id).await.is_empty(), "no log of {stage}");
    }
    for stage in Stage::ALL {
        let id = in_stage(stage);
        while step(&store, id).await.unwrap().run.unwrap().stage != Stage::Ready {}
    }
    store.close().await;
    let at = options(folder.path());
    let checked = check(&at).await.unwrap();
    assert_eq!((checked.problems, checked.hosts), (Vec::<String>::new(), 14));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_version_is_checked_before_and_migrated_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    first_version(folder.path()).await;
    let at = options(folder.path());
    let checked = check(&at).await.unwrap();
    assert_eq!(checked.problems, Vec::<String>::new());
    assert!(checked.notices[0].contains("migrations are missing"), "{checked:?}");
    let migrated = migrate(&at.db_path).await.unwrap();
    assert_eq!(migrated.before, [1]);
    assert!(!migrated.applied.is_empty());
    assert_eq!(migrate(&at.db_path).await.unwrap().applied, Vec::<i64>::new());
    let checked = check(&at).await.unwrap();
    assert_eq!((checked.problems, checked.notices), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_the_first_version_is_restored_by_this_one() {
    let folder = tempfile::tempdir().unwrap();
    first_version(folder.path()).await;
    let at = options(folder.path());
    let copy = folder.path().join("copy.db");
    assert_eq!(backup(&at.db_path, &copy).await.unwrap().hosts, 14);
    let restored = restore(at, &copy).await.unwrap();
    // Armed, netbooting, live, installing.
    assert_eq!((restored.hosts, restored.voided_permits), (14, 4));
}
