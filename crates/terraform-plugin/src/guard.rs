//! A panic in a provider's code is told to the user; without this Terraform would only see a connection that broke, and
//! lose what was already made.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::{Diagnostics, Path};

/// What comes of it, or an error that tells of the panic.
pub(crate) async fn guarded<T>(work: impl Future<Output = Result<T, Diagnostics>>) -> Result<T, Diagnostics> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done,
        Err(panic) => Err(told(panic.as_ref())),
    }
}

/// The same for code that does not wait.
pub(crate) fn guarded_now<T>(work: impl FnOnce() -> Result<T, Diagnostics>) -> Result<T, Diagnostics> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(told(panic.as_ref())))
}

fn told(panic: &(dyn Any + Send)) -> Diagnostics {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message");
    Diagnostics::error(
        Path::root(),
        "The provider has a fault",
        format!(
            "It panicked: {what}\n\nThis is a fault of the provider, not of the configuration: please report it. \
             What was known of the resource is kept in the state."
        ),
    )
}
