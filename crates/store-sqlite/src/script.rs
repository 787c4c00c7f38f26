//! Several statements sent to SQLite at once: a round trip to its thread costs more than most statements.

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, Type};

/// Statements with their values, in order. Only fixed texts go in; values are bound.
pub(crate) struct Script {
    sql: String,
    values: SqliteArguments,
    /// The first value that could not be bound.
    unfit: Option<BoxDynError>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            sql: String::with_capacity(512),
            values: SqliteArguments::default(),
            unfit: None,
        }
    }

    /// Adds a statement; its `?` take the values bound next.
    pub(crate) fn add(&mut self, statement: &'static str) -> &mut Self {
        self.sql.push_str(statement);
        self.sql.push(';');
        self
    }

    pub(crate) fn bind<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.values.add(value) {
            self.unfit.get_or_insert(error);
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    /// Runs it to its end or its first error. Returns how many rows it wrote, if it does nothing but write.
    pub(crate) async fn run(self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        if let Some(error) = self.unfit {
            return Err(sqlx::Error::Encode(error));
        }
        sqlx::query_with::<Sqlite, _>(AssertSqlSafe(self.sql), self.values)
            .execute(connection)
            .await
            .map(|done| done.rows_affected())
    }
}

/// Runs them as one: either all of it counts or nothing.
pub(crate) async fn run_as_one(
    scripts: impl IntoIterator<Item = Script>,
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    let Err(error) = run_saved(scripts, connection).await else {
        return Ok(());
    };
    let mut back = Script::new();
    back.add("ROLLBACK TO one").add("RELEASE one");
    match back.run(connection).await {
        Ok(_) => Err(Fault::Own(error)),
        // SQLite gave up the whole transaction, as it does when the disk is full.
        Err(_) => Err(Fault::Batch(error)),
    }
}

/// The savepoint travels with the first script and its release with the last: mostly they are one round trip.
async fn run_saved(
    scripts: impl IntoIterator<Item = Script>,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let mut scripts = scripts.into_iter().peekable();
    let mut is_first = true;
    while let Some(mut script) = scripts.next() {
        if is_first {
            script.sql.insert_str(0, "SAVEPOINT one;");
            is_first = false;
        }
        if scripts.peek().is_none() {
            script.add("RELEASE one");
        }
        script.run(&mut *connection).await?;
    }
    Ok(())
}

/// How far a failure reaches.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Undone; the transaction goes on.
    Own(sqlx::Error),
    /// The transaction is lost, and whatever was in it.
    Batch(sqlx::Error),
}
