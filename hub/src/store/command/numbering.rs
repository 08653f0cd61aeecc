//! Which numbers commands get: ever higher ones, as a box goes by the highest. A hub that was put back to an earlier state counts from there; a box that
//! knows later commands of it says so, and then it goes on above what that box knows.

use gatepost_wire::EdgeId;
use sqlx::AnyConnection;

use super::super::StoreError;

/// A box that knows of so many commands more than this hub gave is not believed: one that lies could use up the numbers for all. Nobody gives as many
/// between a backup and the next.
const FURTHEST: i64 = 1_000_000;

/// The next command has a number above `known`, the highest that a box knows.
pub(in crate::store) async fn go_on_above(
    connection: &mut AnyConnection,
    edge: &EdgeId,
    known: u64,
) -> Result<(), StoreError> {
    let last = last(connection).await?;
    match i64::try_from(known) {
        Ok(known) if known <= last => Ok(()),
        Ok(known) if known - last <= FURTHEST => {
            let (before, after) = (last, known);
            tracing::warn!(%edge, before, after, "a box knows later commands than this hub: it was put back to an earlier state; numbers go on above");
            set_last(connection, known).await
        }
        _ => {
            tracing::warn!(%edge, known, last, "a box tells of commands this hub cannot have given; its number is not gone by");
            Ok(())
        }
    }
}

/// The highest number ever given, whether or not its command is still there.
async fn last(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let sql = match connection.backend_name() {
        "SQLite" => {
            "SELECT coalesce(max(CAST(seq AS INTEGER)), 0) FROM sqlite_sequence WHERE name = 'command'"
        }
        _ => {
            "SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence('command', 'number') AS regclass)), 0)"
        }
    };
    sqlx::query_scalar(sql).fetch_one(connection).await
}

async fn set_last(connection: &mut AnyConnection, last: i64) -> Result<(), StoreError> {
    let sql = match connection.backend_name() {
        "SQLite" => "UPDATE sqlite_sequence SET seq = $1 WHERE name = 'command'",
        _ => "SELECT setval(pg_get_serial_sequence('command', 'number'), $1)",
    };
    sqlx::query(sql).bind(last).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use gatepost_wire::{Command, CommandId};
    use ulid::Ulid;

    use super::super::super::testing::fresh;
    use super::super::super::{Store, command::Entry};
    use super::super::insert;
    use super::*;

    /// Gives one; its number.
    async fn give(connection: &mut AnyConnection) -> i64 {
        let id = CommandId::from_ulid(Ulid::generate());
        let text = format!(
            r#"{{"id":"{id}","edge":"gate-1","who":"Li","why":"open day","issued":"2026-11-25T08:00:00Z",
            "expires":"2026-11-26T08:00:00Z","order":{{"kind":"self_test"}}}}"#
        );
        let command = Command::from_json(text.as_bytes()).unwrap();
        let entry = Entry {
            command: &command,
            text: &text,
            person: "li.na",
            needs_second: false,
            hold: None,
            change: 1,
        };
        insert(&mut *connection, &entry).await.unwrap();
        let number = sqlx::query_scalar("SELECT number FROM command WHERE id = $1").bind(id.to_string());
        number.fetch_one(connection).await.unwrap()
    }

    #[tokio::test]
    async fn numbers_go_on_above_what_a_box_knows_and_never_back_nor_too_far() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let mut change = store.begin().await.unwrap();
        let connection = &mut change.connection;
        let edge: EdgeId = "gate-1".parse().unwrap();
        assert_eq!((last(connection).await.unwrap(), give(connection).await), (0, 1));
        for (known, next) in
            [(1, 2), (812, 813), (5, 814), (u64::MAX, 815), (1_000_816, 816), (1_000_816, 1_000_817)]
        {
            go_on_above(connection, &edge, known).await.unwrap();
            assert_eq!(give(connection).await, next, "after {known}");
        }
        change.commit().await.unwrap();
    }
}
