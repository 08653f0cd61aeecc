//! Is an edge connected? Pure.

use gatepost_wire::BootId;
use gatepost_wire::health::PresenceState;

/// Does a presence message replace what is known?
///
/// A daemon that starts anew may say it is online before the broker gives up on its former connection. That
/// connection's last will speaks for a former boot and must not hide the new one.
pub fn replaces(known: Option<BootId>, boot: BootId, state: PresenceState) -> bool {
    state == PresenceState::Online || known.is_none_or(|known| known == boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_boot_cannot_say_offline() {
        let former: BootId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        let current: BootId = "01BX5ZZKBKACTAV9WEVGEMMVRZ".parse().unwrap();
        assert!(replaces(None, former, PresenceState::Offline));
        assert!(replaces(Some(former), current, PresenceState::Online));
        assert!(!replaces(Some(current), former, PresenceState::Offline));
        assert!(replaces(Some(current), current, PresenceState::Offline));
    }
}
