//! What a host is served: iPXE scripts, pointer and live and installed Ignition documents. Pure.
//!
//! Every value that reaches a script line, a file with a grammar or a unit was parsed into a type of its own first
//! (`values`, `url`, `secret`), so that nothing a host's record holds can change the structure around it. Templates
//! and the shell that hosts run are embedded from `ipxe/` and `ignition-templates/`.

mod cpio;
mod documents;
mod engine;
mod error;
mod facts;
mod files;
mod firewall;
mod fleetlock;
mod fragments;
mod installed;
mod k3s;
mod keyfile;
mod live;
mod opened;
mod overlay;
mod pointer;
mod repositories;
mod script;
mod secret;
mod template;
mod updates;
mod url;
mod values;

pub use cpio::pointer_cpio;
pub use documents::{Documents, documents};
pub use error::RenderError;
pub use facts::{AssetNames, RunFacts};
pub use fleetlock::{FleetLockIdentity, fleetlock_identity};
pub use k3s::{Membership, NodeConfig, node_config};
pub use keyfile::{Keyfile, keyfiles, live_keyfiles};
pub use opened::{NotOpened, Part, opened};
pub use overlay::{
    CheckBase, FACTS, Fact, Fault, MAX_TEMPLATE_BYTES, Overlay, RESERVED, Reserved, Template, facts_table,
    reserved_table,
};
pub use pointer::{PointerFacts, pointer};
pub use script::{InstallFacts, Retry, ScriptFacts, boot_script, script};
pub use secret::{InvalidSecret, Secret};
pub use url::{BaseUrl, InvalidUrl};
pub use values::{FileName, InvalidFileName, check_host, check_packages};

#[cfg(test)]
mod samples;
