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

    /// Runs it to its end or its first error.
    pub(crate) async fn run(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if let Some(error) = self.unfit {
            return Err(sqlx::Error::Encode(error));
        }
        sqlx::query_with::<Sqlite, _>(AssertSqlSafe(self.sql), self.values)
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Runs it as one: either all of it counts or nothing.
    pub(crate) async fn run_as_one(mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        self.sql.insert_str(0, "SAVEPOINT one;");
        self.sql.push_str("RELEASE one");
        let Err(error) = self.run(&mut *connection).await else {
            return Ok(());
        };
        let mut back = Self::new();
        back.add("ROLLBACK TO one").add("RELEASE one");
        match back.run(connection).await {
            Ok(()) => Err(Fault::Own(error)),
            // SQLite gave up the whole transaction, as it does when the disk is full.
            Err(_) => Err(Fault::Batch(error)),
        }
    }
}

/// How far a failure reaches.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Undone; the transaction goes on.
    Own(sqlx::Error),
    /// The transaction is lost, and whatever was in it.
    Batch(sqlx::Error),
}
