//! The template engine as every template meets it, ours and users'.

use minijinja::{Environment, Error, UndefinedBehavior, syntax::SyntaxConfig};

/// No loader, so that nothing can be included; unknown names are errors. Fuel, once it is set, pays for every instruction
/// and for all data that is made: time and memory are bounded alike.
pub(crate) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // It prints what the engine knows.
    environment.remove_global("debug");
    Ok(environment)
}
