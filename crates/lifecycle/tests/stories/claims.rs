//! The last question before a disk is written.

use crate::story::*;
use thirdboot_lifecycle::*;

fn judge(run: &Run, claim: &Claim) -> Result<Grant, ClaimRefused> {
    judge_claim(&host(), run, claim, &[], t0() + minutes(10))
}

fn refusal(run: &Run, claim: &Claim) -> String {
    judge(run, claim).unwrap_err().to_string()
}

fn with_disk(change: impl FnOnce(&mut Disk)) -> Claim {
    let mut claim = claim(1);
    change(&mut claim.disk);
    claim.disks = vec![claim.disk.clone()];
    claim
}

fn allowing(wipe: &[&str], named: Option<&str>) -> Run {
    let mut run = at(Stage::Live);
    run.permit.purpose = Purpose::Install {
        disk: named.map(|name| name.parse().unwrap()),
        wipe: wipe.iter().map(|name| name.parse().unwrap()).collect(),
    };
    run
}

#[test]
fn the_only_eligible_disk_is_granted() {
    assert_eq!(judge(&at(Stage::Live), &claim(1)), Ok(Grant { attempt: 1, of: 3 }));
}

#[test]
fn a_lost_live_report_does_not_strand_the_claim() {
    assert!(judge(&armed(), &claim(1)).is_ok());
    assert!(judge(&at(Stage::Netbooting), &claim(1)).is_ok());
}

#[test]
fn after_the_install_nothing_is_granted() {
    for stage in Stage::ALL.into_iter().filter(|stage| *stage >= Stage::Installed) {
        assert!(judge(&at(stage), &claim(9)).is_err(), "{stage}");
    }
}

#[test]
fn the_same_boot_asking_again_spends_no_attempt_and_another_boot_does() {
    let run = at(Stage::Installing);
    assert_eq!(judge(&run, &claim(1)).unwrap().attempt, 1);
    assert_eq!(judge(&run, &claim(2)).unwrap().attempt, 2);
}

#[test]
fn attempts_run_out() {
    let mut run = at(Stage::Installing);
    run.evidence.claimed.as_mut().unwrap().attempt = 3;
    assert!(judge(&run, &claim(1)).is_ok());
    assert!(refusal(&run, &claim(2)).contains("all 3 attempts"));
}

#[test]
fn a_run_that_claimed_one_disk_does_not_get_another() {
    let mut other = claim(2);
    other.disk.serial = Some("D2".into());
    other.disks = vec![other.disk.clone()];
    assert!(refusal(&at(Stage::Installing), &other).contains("claimed /dev/disk/by-id/nvme-1 (serial D1) before"));
}

#[test]
fn hold_expiry_voiding_and_inspection_refuse() {
    let mut held = host();
    held.hold = Some(Hold {
        reason: "wait for ada".into(),
        since: t0(),
    });
    let refused = judge_claim(&held, &at(Stage::Live), &claim(1), &[], t0()).unwrap_err();
    assert!(refused.to_string().contains("wait for ada"));

    let late = judge_claim(&host(), &at(Stage::Live), &claim(1), &[], permit().expires_at).unwrap_err();
    assert!(late.to_string().contains("expired"));

    let mut voided = at(Stage::Live);
    voided.permit.void(t0(), "the database was restored");
    assert!(refusal(&voided, &claim(1)).contains("restored"));

    let mut inspecting = at(Stage::Live);
    inspecting.permit.purpose = Purpose::Inspect;
    assert!(refusal(&inspecting, &claim(1)).contains("never writes"));

    let mut retired = host();
    retired.retired = true;
    assert!(judge_claim(&retired, &at(Stage::Live), &claim(1), &[], t0()).is_err());
}

#[test]
fn another_run_another_machine_and_a_moved_nic_refuse() {
    let mut old = claim(1);
    old.run = RunNumber(2);
    assert!(refusal(&at(Stage::Live), &old).contains("run 2 is over"));

    let mut foreign = claim(1);
    foreign.identity.serial = Serial::stated("S2");
    assert!(refusal(&at(Stage::Live), &foreign).contains("serial is S2, expected S1"));

    let mut nobody = claim(1);
    nobody.identity = Identity::default();
    assert!(refusal(&at(Stage::Live), &nobody).contains("no identifier"));

    let others = ["node-2".parse().unwrap()];
    let refused = judge_claim(&host(), &at(Stage::Live), &claim(1), &others, t0()).unwrap_err();
    assert!(refused.to_string().contains("belongs to node-2"));
}

#[test]
fn a_named_disk_is_the_only_one() {
    assert!(judge(&allowing(&[], Some("D1")), &claim(1)).is_ok());
    assert!(refusal(&allowing(&[], Some("D2")), &claim(1)).contains("the permit is for disk D2"));
}

#[test]
fn several_disks_and_none_named_lists_the_candidates() {
    let mut two = claim(1);
    two.disks.push(Disk {
        path: "/dev/disk/by-id/sata-2".into(),
        size_bytes: 50 << 30,
        ..Disk::default()
    });
    let why = refusal(&at(Stage::Live), &two);
    assert!(why.contains("nvme-1 (serial D1)") && why.contains("sata-2"), "{why}");
    assert!(judge(&allowing(&[], Some("/dev/disk/by-id/nvme-1")), &two).is_ok());
}

#[test]
fn sticks_and_small_disks_are_no_candidates() {
    let mut with_stick = claim(1);
    with_stick.disks.push(Disk {
        path: "stick".into(),
        size_bytes: 64 << 30,
        removable: true,
        ..Disk::default()
    });
    with_stick.disks.push(Disk {
        path: "sd".into(),
        size_bytes: 4 << 30,
        ..Disk::default()
    });
    assert!(judge(&at(Stage::Live), &with_stick).is_ok());
    assert!(refusal(&at(Stage::Live), &with_disk(|disk| disk.size_bytes = 4 << 30)).contains("expected at least"));
    assert!(refusal(&at(Stage::Live), &with_disk(|disk| disk.read_only = true)).contains("read-only"));
}

#[test]
fn a_disk_that_is_not_among_the_disks_is_refused() {
    let mut lying = claim(1);
    lying.disks.clear();
    assert!(refusal(&at(Stage::Live), &lying).contains("not among"));
}

#[test]
fn whatever_is_recognisable_is_refused_by_name_unless_the_permit_says_wipe() {
    for word in ["ceph-bluestore", "lvm", "md", "zfs", "ntfs", "something-new"] {
        let claim = with_disk(|disk| disk.holds = vec![word.into()]);
        assert!(refusal(&at(Stage::Live), &claim).contains(word));
        assert!(judge(&allowing(&["D1"], None), &claim).is_ok());
        assert!(judge(&allowing(&["D2"], None), &claim).is_err());
    }
}

#[test]
fn what_the_list_says_of_the_chosen_disk_counts_as_well() {
    let mut two_tongued = claim(1);
    two_tongued.disks[0].holds = vec!["zfs".into()];
    assert!(refusal(&at(Stage::Live), &two_tongued).contains("zfs"));
}

#[test]
fn the_hosts_own_earlier_install_may_be_overwritten_and_nobody_elses() {
    let previous = |name: &str, run: u32| {
        Some(Previous {
            host: name.parse().unwrap(),
            run: RunNumber(run),
        })
    };
    assert!(
        judge(
            &at(Stage::Live),
            &with_disk(|disk| disk.previous = previous("node-1", 2))
        )
        .is_ok()
    );
    let foreign = with_disk(|disk| disk.previous = previous("node-2", 1));
    assert!(refusal(&at(Stage::Live), &foreign).contains("an install of node-2"));
    assert!(judge(&allowing(&["D1"], None), &foreign).is_ok());
}

#[test]
fn an_older_database_does_not_wipe_a_newer_install_whatever_the_permit_says() {
    for run in [3, 4, 900] {
        let newer = with_disk(|disk| {
            disk.previous = Some(Previous {
                host: host().name,
                run: RunNumber(run),
            });
        });
        assert!(
            refusal(&allowing(&["D1"], Some("D1")), &newer).contains("older database"),
            "{run}"
        );
    }
}

#[test]
fn a_disk_that_already_carries_this_runs_install_is_booted_and_not_written() {
    let done = with_disk(|disk| {
        disk.previous = Some(Previous {
            host: host().name,
            run: RunNumber(3),
        });
    });
    assert_eq!(
        judge(&at(Stage::Installing), &done),
        Err(ClaimRefused::AlreadyInstalled(RunNumber(3)))
    );
}

#[test]
fn a_second_disk_with_a_boot_label_is_refused_by_name() {
    let mut two = claim(1);
    two.disks.push(Disk {
        path: "/dev/disk/by-id/old".into(),
        size_bytes: 1 << 30,
        holds: vec!["boot-label".into()],
        ..Disk::default()
    });
    assert!(
        refusal(&allowing(&[], Some("D1")), &two).contains("/dev/disk/by-id/old carries a file system labelled boot")
    );
    assert!(judge(&allowing(&["/dev/disk/by-id/old"], Some("D1")), &two).is_ok());
}
