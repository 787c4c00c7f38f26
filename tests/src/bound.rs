//! Programs that end with the tests, also when those are killed and drop nothing.

use std::ffi::OsStr;

use tokio::process::Command;

/// A program that is killed when it is dropped, and by the kernel when the thread that starts it ends: that of the test,
/// since each has a runtime of one thread. Never start it by `spawn_blocking`, whose threads end when they are idle.
/// With `unshare --pid --fork --kill-child` for a program, all that it started ends as well.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program).kill_on_drop(true);
    command
}
