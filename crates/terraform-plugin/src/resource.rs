//! What a provider is made of.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{Diagnostics, Object, Path, Schema, Stop};

/// A provider: its own block, its resources and its data sources.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The provider's own block.
    fn schema(&self) -> Schema;

    /// Its resources by type name, such as `cloud_server`.
    fn resources(&self) -> BTreeMap<&'static str, Box<dyn Resource>>;

    /// Its data sources by type name.
    fn data_sources(&self) -> BTreeMap<&'static str, Box<dyn DataSource>>;

    /// Takes the provider's block. Values in it may still be unknown while Terraform plans.
    ///
    /// # Errors
    /// When nothing can be done with it.
    async fn configure(&self, call: &mut Call, config: Object) -> Result<(), Diagnostics>;
}

/// A thing that Terraform makes, changes and removes. Objects have every attribute of the schema.
#[async_trait]
pub trait Resource: Send + Sync {
    /// What it looks like.
    fn schema(&self) -> Schema;

    /// Checks what single values do not show. The values may be unknown.
    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        let _ = (config, found);
    }

    /// Changes what the schema alone would plan. Not asked before a removal.
    ///
    /// # Errors
    /// When the apply would fail.
    async fn plan(&self, call: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        let _ = (call, change);
        Ok(())
    }

    /// Makes it. What the plan knows must be in the answer.
    ///
    /// # Errors
    /// When it could not be made as planned; if something was made, [`Call::keep`] was told.
    async fn create(&self, call: &mut Call, change: &Change) -> Result<Object, Diagnostics>;

    /// Looks at it: none when it is gone for certain.
    ///
    /// # Errors
    /// When nobody can say. The state stays as it was.
    async fn read(&self, call: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics>;

    /// Changes it in place.
    ///
    /// # Errors
    /// When it could not be changed as planned. The state stays as it was, or as [`Call::keep`] was told.
    async fn update(&self, call: &mut Call, prior: &Object, change: &Change) -> Result<Object, Diagnostics>;

    /// Removes it. That it is gone already is no error.
    ///
    /// # Errors
    /// When it may still be there. The state stays as it was, or as [`Call::keep`] was told.
    async fn delete(&self, call: &mut Call, state: &Object) -> Result<(), Diagnostics>;

    /// Finds it by what a user calls it. It is read afterwards: enough to find it again will do.
    ///
    /// # Errors
    /// When there is none, or it cannot be imported.
    async fn import(&self, call: &mut Call, id: &str) -> Result<Object, Diagnostics>;
}

/// Something that Terraform only looks at.
#[async_trait]
pub trait DataSource: Send + Sync {
    /// What it looks like.
    fn schema(&self) -> Schema;

    /// Checks what single values do not show. The values may be unknown.
    fn validate(&self, config: &Object, found: &mut Diagnostics) {
        let _ = (config, found);
    }

    /// Looks.
    ///
    /// # Errors
    /// When it is not there, or nobody can say.
    async fn read(&self, call: &mut Call, config: &Object) -> Result<Object, Diagnostics>;
}

/// What is planned, and what it is planned from.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it was; none when it is made.
    pub prior: Option<Object>,
    /// What the user wrote; the only place where write-only values stand.
    pub config: Object,
    /// What it will be.
    pub planned: Object,
}

/// What goes with a request.
#[derive(Debug)]
pub struct Call {
    /// Set when Terraform's user wants to stop.
    pub stop: Stop,
    /// Bytes that Terraform keeps beside the state and shows nobody.
    pub private: Vec<u8>,
    pub(crate) warnings: Diagnostics,
    pub(crate) kept: Option<Object>,
}

impl Call {
    pub(crate) fn new(stop: Stop, private: Vec<u8>) -> Self {
        Self {
            stop,
            private,
            warnings: Diagnostics::default(),
            kept: None,
        }
    }

    /// Tells the user something that ends nothing.
    pub fn warn(&mut self, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.add_warning(path, summary, detail);
    }

    /// What the state shall be if this request fails, or panics, from here on.
    pub fn keep(&mut self, state: Object) {
        self.kept = Some(state);
    }
}
