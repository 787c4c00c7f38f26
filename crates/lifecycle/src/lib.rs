//! The pure domain of Thirdboot: what a host is, how a run goes from armed to ready, what a machine that asks for a
//! script gets, when a stage is late, and why.
//!
//! Nothing in here does I/O or reads a clock: time is a parameter, every rule is a function of its arguments, and the
//! stores call these functions inside their transactions.

mod alert;
mod claim;
mod cluster;
mod deadline;
mod decision;
mod diagnosis;
mod diagram;
mod disk;
mod event;
mod evidence;
mod host;
mod identity;
mod locks;
mod name;
mod network;
mod node;
mod observed;
mod packages;
mod permit;
mod platform;
mod proof;
mod provider;
mod run;
mod stage;
mod table;
mod text;
mod transition;

pub use alert::{Alert, AlertKind, AlertLimits, alerts};
pub use claim::{Claim, ClaimRefused, Grant, judge_claim};
pub use cluster::{
    Api, BeginRefused, Binary, Cluster, ClusterSpec, Decision, Effect, FlannelBackend, Holder, Init, InvalidCluster,
    InvalidLabel, InvalidTaint, K3s, MAX_AGENTS_AT_ONCE, Member, NodeLabels, NodeSettings, RETRY_LOOKING_S,
    RETRY_TURN_S, Seeker, Sight, Slot, Taint, changed_after_begin, check_cluster, decide_join, hand_in, live_slots,
    move_init, take_kubeconfig,
};
pub use deadline::{Deadline, Deadlines, Verdict, due_at, verdict_at};
pub use decision::{Asker, HoldReason, Script, decide};
pub use diagnosis::{Cause, Diagnosis, LockEvidence, diagnose, diagnose_lock, diagnose_with};
pub use diagram::state_diagram;
pub use disk::{Disk, DiskSelector, MIN_DISK_BYTES, Previous};
pub use event::{Event, EventKind, Fetch, Report, Said, SecretKind};
pub use evidence::{Boot, Claimed, Evidence, Installed, LastWord, MAX_BOOTS, Seen};
pub use host::{Arch, DiskBoot, Hold, Host, Install, KnownBy, Role};
pub use identity::{BootId, Identified, Identity, Mac, Serial, SmbiosUuid, identify};
pub use locks::{
    DEFAULT_DRAIN_S, Day, GroupName, GroupSettings, InvalidGroupName, InvalidGroupSettings, InvalidStart, LockAsk,
    LockReason, LockSlot, LockVerdict, MAX_SLOTS, NotWanted, RebootWindow, Servers, SlotState, Standing, StartTime,
    UpdatePolicy, WAITER_FRESH_S, decide_lock,
};
pub use name::{ClusterName, HostName, InvalidName, RunNumber};
pub use network::{
    AddressPool, AddressRange, Bond, BondMode, DEFAULT_MTU, LacpRate, Method, Misfit, Network, NetworkFault, Port,
    Route, Uplink, Vlan, XmitHashPolicy, address_key, check_beside_cluster, check_network,
};
pub use node::{JoinWait, NodeSeen, NodeWord, ReadyBy};
pub use observed::{Conflict, Deployment, MAX_DEPLOYMENTS, Observed};
pub use packages::{
    InvalidKey, InvalidRepositoryUrl, PackageSources, Repository, RepositoryName, RepositoryUrl, RoleDefaults,
};
pub use permit::{DEFAULT_ATTEMPTS, Permit, Purpose, Voided};
pub use platform::{Capability, Platform};
pub use proof::{
    AddressFact, BondFact, NetworkFacts, PeerFact, PortFact, RouteFact, VlanFact, differences, is_cut_off, lacks_lacp,
};
pub use provider::{
    AtProvider, DeviceId, EventsRead, InvalidDevice, MAX_FIRST_EVENTS, MAX_SEEN_EVENTS, Power, PowerAsked, PowerStep,
    Provider, ProviderEvent, ProviderLook, ProviderMachine, PutVlans, Trouble, TroubleKind, Wanted, wanted,
};
pub use run::{Ended, Run, arm_refused};
pub use stage::Stage;
pub use table::{ROWS, Row, Then, row_for};
pub use transition::{LOCAL_BOOTS_BEFORE_STALL, MAX_ROLLBACKS, Refused, transition};
