//! Renews the certificate before it ends. The uplink takes the new one at its next connection, which comes at the latest
//! when the old one ends.

use std::time::Duration;

use gatepost_wire::Timestamp;

use super::{Identity, IdentityError, IdentityFile};
use crate::config::EnrolmentUrl;

const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The box may be enrolled at any time.
const NOT_ENROLLED: Duration = Duration::from_secs(10);

/// Looks again and again whether a third or less of the certificate's time is left, and renews it then. Never ends.
pub async fn keep_fresh(identity: IdentityFile, hub: EnrolmentUrl) {
    let mut last_reason = String::new();
    loop {
        let mut pause = LONGEST_PAUSE;
        match identity.read() {
            Ok(present) => {
                if is_due(&present, Timestamp::now()) {
                    renew(&identity, &hub, present.until(), &mut last_reason).await;
                }
                pause = look_again(&present);
            }
            Err(IdentityError::None { .. }) => pause = NOT_ENROLLED,
            Err(error) => tell(&mut last_reason, error.to_string()),
        }
        // Not all boxes of a district at once.
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}

async fn renew(identity: &IdentityFile, hub: &EnrolmentUrl, until: Timestamp, last_reason: &mut String) {
    match identity.renew(hub).await {
        Ok(fresh) => {
            last_reason.clear();
            tracing::info!(until = %fresh.until(), key = ?fresh.key_place(), "the certificate is renewed");
        }
        // The hub's clock counts, so a certificate that seems to have ended was tried all the same.
        Err(error) if until < Timestamp::now() => {
            tell(last_reason, format!("{error}; it ended on {until}: enrol the box again"));
        }
        Err(error) => tell(last_reason, error.to_string()),
    }
}

/// Each reason once.
fn tell(last_reason: &mut String, reason: String) {
    if reason != *last_reason {
        tracing::warn!("the certificate cannot be renewed: {reason}");
        *last_reason = reason;
    }
}

fn is_due(identity: &Identity, now: Timestamp) -> bool {
    let left = identity.until().duration_since(now);
    left <= identity.until().duration_since(identity.from()) / 3
}

/// Some ten times within the third in which it is due.
fn look_again(identity: &Identity) -> Duration {
    let valid = identity.until().duration_since(identity.from());
    (valid / 30).try_into().unwrap_or(SHORTEST_PAUSE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use gatepost_wire::command::SigningKey;
    use gatepost_wire::enrolment::Issued;

    use super::*;
    use crate::identity::key::Key;

    fn identity(from: &str, until: &str) -> Identity {
        let key = SigningKey::from_pkcs8(&SigningKey::generate_pkcs8().unwrap()).unwrap();
        let issued = Issued {
            certificate: String::new(),
            authority: String::new(),
            command_key: key.verifying_key(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        Identity { edge: "gate-1".parse().unwrap(), key: Key::in_file().unwrap(), issued }
    }

    #[test]
    fn it_is_due_when_a_third_is_left() {
        let it = identity("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z");
        assert!(!is_due(&it, "2026-03-01T00:00:00Z".parse().unwrap()));
        assert!(is_due(&it, "2026-03-03T00:00:00Z".parse().unwrap()));
        // Long over, or a clock that is wrong: it does no harm to ask.
        assert!(is_due(&it, "2027-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(look_again(&it), LONGEST_PAUSE);
        assert_eq!(look_again(&identity("2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z")), SHORTEST_PAUSE);
    }
}
