//! Enrolment codes and certificates: who may connect. Written at once and rarely, on a connection of its own, by the
//! daemon or by a command at its side.

use gatepost_wire::{EdgeId, Timestamp};
use sqlx::AnyConnection;
use sqlx::FromRow;

use super::column::{nanos, parse, timestamp};
use super::{Store, StoreError};
use crate::authority::{DeviceCertificate, Fingerprint, Revoked};

/// A certificate the hub has issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCertificate {
    /// Whose it is.
    pub edge: EdgeId,
    /// It counts until then.
    pub until: Timestamp,
    /// It does not count since then.
    pub revoked: Option<Timestamp>,
}

impl KnownCertificate {
    /// Does it count?
    pub fn counts(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.until
    }
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// The certificate is noted; the code is spent.
    Yes,
    /// There is no such code for that edge.
    Unknown,
    /// It let a box in then.
    Used(Timestamp),
    /// It ended then.
    Late(Timestamp),
}

#[derive(FromRow)]
struct Row {
    edge: String,
    until: i64,
    revoked: Option<i64>,
}

impl TryFrom<Row> for KnownCertificate {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            edge: parse("certificate.edge", &row.edge)?,
            until: timestamp(row.until),
            revoked: row.revoked.map(timestamp),
        })
    }
}

impl Store {
    /// Notes a code. Earlier ones of the edge that nobody used end.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn add_code(
        &self,
        edge: &EdgeId,
        hash: &str,
        made: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE enrolment_code SET until = $1 WHERE edge = $2 AND used IS NULL AND until > $1")
            .bind(nanos(made))
            .bind(edge.as_str())
            .execute(&mut change.connection)
            .await?;
        sqlx::query("INSERT INTO enrolment_code (hash, edge, made, until) VALUES ($1, $2, $3, $4)")
            .bind(hash)
            .bind(edge.as_str())
            .bind(nanos(made))
            .bind(nanos(until))
            .execute(&mut change.connection)
            .await?;
        change.commit().await
    }

    /// Spends a code on a certificate, both or neither. Earlier certificates of the edge end: there is one box of a name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn redeem(
        &self,
        edge: &EdgeId,
        hash: &str,
        certificate: &DeviceCertificate,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let mut change = self.begin().await?;
        let code: Option<(Option<i64>, i64)> =
            sqlx::query_as("SELECT used, until FROM enrolment_code WHERE hash = $1 AND edge = $2")
                .bind(hash)
                .bind(edge.as_str())
                .fetch_optional(&mut change.connection)
                .await?;
        match code {
            None => return Ok(Redeemed::Unknown),
            Some((Some(used), _)) => return Ok(Redeemed::Used(timestamp(used))),
            Some((None, until)) if timestamp(until) <= now => return Ok(Redeemed::Late(timestamp(until))),
            Some((None, _)) => {}
        }
        sqlx::query("UPDATE enrolment_code SET used = $1 WHERE hash = $2")
            .bind(nanos(now))
            .bind(hash)
            .execute(&mut change.connection)
            .await?;
        revoke(&mut change.connection, edge, now, "replaced").await?;
        insert(&mut change.connection, edge, certificate, now).await?;
        change.commit().await?;
        Ok(Redeemed::Yes)
    }

    /// Notes a renewal. The certificate it follows counts until it ends, for the box may not have got this one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn add_certificate(
        &self,
        edge: &EdgeId,
        certificate: &DeviceCertificate,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        insert(&mut change.connection, edge, certificate, now).await?;
        change.commit().await
    }

    /// Ends every certificate and unused code of an edge; how many certificates ended.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke(&self, edge: &EdgeId, now: Timestamp) -> Result<u64, StoreError> {
        let mut change = self.begin().await?;
        let revoked = revoke(&mut change.connection, edge, now, "revoked").await?;
        sqlx::query("UPDATE enrolment_code SET until = $1 WHERE edge = $2 AND used IS NULL AND until > $1")
            .bind(nanos(now))
            .bind(edge.as_str())
            .execute(&mut change.connection)
            .await?;
        change.commit().await?;
        Ok(revoked)
    }

    /// A certificate, if this hub issued it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn certificate(&self, of: &Fingerprint) -> Result<Option<KnownCertificate>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT edge, until, revoked FROM certificate WHERE fingerprint = $1")
                .bind(of.as_str())
                .fetch_optional(&self.readers)
                .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The certificate of each edge that ends last, by the edges' names.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn certificates(&self) -> Result<Vec<KnownCertificate>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT edge, until, revoked FROM (SELECT *, row_number() OVER \
               (PARTITION BY edge ORDER BY revoked IS NOT NULL, until DESC) AS place FROM certificate) AS placed \
             WHERE place = 1 ORDER BY edge",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Certificates that would still count if they had not been revoked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn revoked(&self, now: Timestamp) -> Result<Vec<(Fingerprint, Revoked)>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT fingerprint, serial, revoked FROM certificate WHERE revoked IS NOT NULL AND until > $1",
        )
        .bind(nanos(now))
        .fetch_all(&self.readers)
        .await?;
        let entry = |(fingerprint, serial, at)| {
            (Fingerprint::stored(fingerprint), Revoked { serial, at: timestamp(at) })
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

async fn revoke(
    connection: &mut AnyConnection,
    edge: &EdgeId,
    now: Timestamp,
    cause: &str,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE certificate SET revoked = $1, cause = $2 WHERE edge = $3 AND revoked IS NULL AND until > $4",
    )
    .bind(nanos(now))
    .bind(cause)
    .bind(edge.as_str())
    .bind(nanos(now))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn insert(
    connection: &mut AnyConnection,
    edge: &EdgeId,
    certificate: &DeviceCertificate,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO certificate (fingerprint, serial, edge, issued, until) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(certificate.fingerprint.as_str())
    .bind(&certificate.serial)
    .bind(edge.as_str())
    .bind(nanos(now))
    .bind(nanos(certificate.until))
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::fresh;

    fn certificate(number: u8, until: Timestamp) -> DeviceCertificate {
        DeviceCertificate {
            fingerprint: Fingerprint::stored(format!("{number:064}")),
            serial: format!("40{number:02}"),
            pem: String::new(),
            from: Timestamp::UNIX_EPOCH,
            until,
        }
    }

    #[tokio::test]
    async fn a_code_lets_its_own_box_in_once_and_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (one, two): (EdgeId, EdgeId) = ("gate-1".parse().unwrap(), "gate-2".parse().unwrap());
        let now = Timestamp::now();
        let after = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        store.add_code(&one, "lost", now, after(60)).await.unwrap();
        store.add_code(&one, "a", now, after(60)).await.unwrap();
        store.add_code(&two, "b", now, after(60)).await.unwrap();
        let first = certificate(1, after(1000));
        let redeem = |edge, hash, certificate, at| store.redeem(edge, hash, certificate, at);
        assert_eq!(redeem(&one, "?", &first, now).await.unwrap(), Redeemed::Unknown);
        assert_eq!(redeem(&two, "a", &first, now).await.unwrap(), Redeemed::Unknown);
        assert_eq!(redeem(&two, "b", &first, after(60)).await.unwrap(), Redeemed::Late(after(60)));
        assert_eq!(redeem(&one, "lost", &first, now).await.unwrap(), Redeemed::Late(now));
        assert_eq!(store.certificate(&first.fingerprint).await.unwrap(), None);
        assert_eq!(redeem(&one, "a", &first, after(1)).await.unwrap(), Redeemed::Yes);
        let second = certificate(2, after(1000));
        assert_eq!(redeem(&one, "a", &second, after(2)).await.unwrap(), Redeemed::Used(after(1)));
        assert_eq!(store.certificate(&second.fingerprint).await.unwrap(), None);
        assert!(store.certificate(&first.fingerprint).await.unwrap().unwrap().counts(after(2)));

        // The box was replaced: the old one is out.
        store.add_code(&one, "c", after(3), after(60)).await.unwrap();
        assert_eq!(redeem(&one, "c", &second, after(4)).await.unwrap(), Redeemed::Yes);
        assert!(!store.certificate(&first.fingerprint).await.unwrap().unwrap().counts(after(5)));
        assert_eq!(store.revoked(after(5)).await.unwrap().len(), 1);
        let listed = store.certificates().await.unwrap();
        assert_eq!(listed, [KnownCertificate { edge: one.clone(), until: after(1000), revoked: None }]);

        store.add_code(&one, "d", after(5), after(60)).await.unwrap();
        assert_eq!(store.revoke(&one, after(6)).await.unwrap(), 1);
        assert_eq!(store.revoke(&one, after(7)).await.unwrap(), 0, "a revocation keeps its time");
        let third = certificate(3, after(1000));
        assert_eq!(redeem(&one, "d", &third, after(8)).await.unwrap(), Redeemed::Late(after(6)));
        assert_eq!(store.revoked(after(1001)).await.unwrap().len(), 0);
    }
}
