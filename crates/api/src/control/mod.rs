//! What people and programs say and hear on the control plane, under `/api/v1`. Requests refuse unknown fields,
//! answers may grow. Identifiers are text here: the server checks them and names the field at fault.

mod access;
mod action;
mod assets;
mod cluster;
mod event;
mod evidence;
mod host;
mod import;
mod locks;
mod network;
mod observed;
mod packages;
mod preview;
mod provider;
mod run;
mod settings;
mod template;
mod unknown;
mod user;
mod wait;
mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use access::{AccessRole, AuditView, CallerView, TokenCreated, TokenSpec, TokenView};
pub use action::{ArmBody, BootUrl, DEFAULT_TTL_S, Empty, HoldBody};
pub use assets::{AddFileBody, AssetFileView, AssetsView, PullBody, PullFileView, PullState, PullView, VersionView};
pub use cluster::{
    ApiState, ApiView, BinarySpec, ClusterSpec, ClusterView, FlannelBackend, InitState, InitView, K3sSpec, Kubeconfig,
    MemberView, MoveInitBody, NodeSpec, RotateTokenBody, RotationView,
};
pub use event::{EventView, EventsPage};
pub use evidence::{BootDetail, ClaimedView, InstalledView, RunDetail, SeenView};
pub use host::{HoldView, HostCountsView, HostPatch, HostSpec, HostView, InstallSpec};
pub use import::{ImportAction, ImportAnswer, ImportBody, ImportedHost};
pub use locks::{LockGroupSpec, LockGroupView, LockPlaceView, RebootWindow, ReleaseLockBody, UpdatePolicy};
pub use network::{
    AddressPoolSpec, AddressRangeSpec, BondMode, BondSpec, LacpRate, NetworkSpec, PortSpec, RouteSpec, UplinkMethod,
    UplinkSpec, VlanSpec, XmitHashPolicy,
};
pub use observed::{AlertKind, AlertView, DeploymentView, HostAlerts, ObservedView};
pub use packages::{RepositorySpec, RepositoryView, RoleSpec, RoleView};
pub use preview::{AppliedTemplate, ChangeView, HostDiffView, PartView, PreviewView, TryTemplate};
pub use provider::{AtProviderView, ProviderSpec};
pub use run::{BootView, DiagnosisView, FailedView, LastWordView, RunView};
pub use settings::{AlertLimitsPatch, AlertLimitsView, Change, DeadlinesPatch, DeadlinesView, StageDeadline};
pub use template::{
    CheckedView, DEFAULT_TEMPLATE_ORDER, FaultView, SelectSpec, TemplateDiffView, TemplateSpec, TemplateView,
};
pub use unknown::{AdoptBody, UnknownMachineView};
pub use user::{PasswordBody, RoleBody, UserLink, UserSpec, UserView};
pub use wait::{WaitAnswer, WaitOutcome};
pub use words::{Arch, DiskBoot, KnownBy, Platform, PowerAction, Role};

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the list's own order.
    pub items: Vec<T>,
    /// Give it as `cursor` (of events: as `after`) to get the next part; none means that this is the last.
    pub next_cursor: Option<String>,
}
