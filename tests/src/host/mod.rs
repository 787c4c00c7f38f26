//! A black-box host, written from docs/boot-protocol.md alone.
//!
//! [`Machine`] is the hardware: it powers on, asks for its script and does what the script
//! says. [`LiveSystem`] is boot 1, [`InstalledSystem`] boots 2 and 3. Each does what the real
//! programs do (iPXE, Ignition, the installer, the reporter), and refuses what they refuse.

pub mod cpio;
pub mod fetch;
pub mod hardware;
pub mod ignition;
pub mod installed;
pub mod live;
pub mod machine;
pub mod reporter;
pub mod script;

pub use hardware::{Disk, Hardware};
pub use installed::InstalledSystem;
pub use live::LiveSystem;
pub use machine::Machine;
pub use reporter::{Answer, Event, Identity, Reporter};
pub use script::{Script, Verdict};
