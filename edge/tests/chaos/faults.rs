//! What goes wrong, and when: drawn from a seed.

use std::thread;
use std::time::Duration;

use gatepost_testbed::proxy::Network;

use crate::database::Database;
use crate::site::{Site, Tear};

/// One thing that goes wrong and, after a while, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    EdgePowerCut,
    EdgeKilled,
    EdgeFrozen,
    EdgeRestarted,
    EdgeDiskFull,
    TornTail,
    ClockStep(i64),
    HubKilled,
    HubFrozen,
    HubDiskFull,
    DatabaseKilled,
    /// What lies between the hub and its database server.
    DatabaseNetwork(Network),
    Network(Network),
}

impl Fault {
    /// Any that this site can have.
    pub fn draw(site: &Site, rng: &mut fastrand::Rng) -> Self {
        let kinds = if site.database.is_some() { 20 } else { 16 };
        match rng.u8(0..kinds) {
            0..3 => Self::EdgePowerCut,
            3 => Self::EdgeKilled,
            4 => Self::EdgeFrozen,
            5 => Self::EdgeRestarted,
            6 => Self::EdgeDiskFull,
            7 => Self::TornTail,
            8 => Self::ClockStep(rng.i64(-40_000_000..40_000_000)),
            9 | 10 => Self::HubKilled,
            11 => Self::HubFrozen,
            12 => Self::HubDiskFull,
            16 | 17 => Self::DatabaseKilled,
            18 | 19 => Self::DatabaseNetwork(network(rng)),
            _ => Self::Network(network(rng)),
        }
    }

    /// Does it end a process with SIGKILL, and nothing else?
    pub fn is_kill(&self) -> bool {
        matches!(
            self,
            Self::EdgeKilled
                | Self::EdgeRestarted
                | Self::TornTail
                | Self::ClockStep(_)
                | Self::HubKilled
                | Self::DatabaseKilled
        )
    }

    /// Can it keep the hub from storing what it has been given, so that this comes again, behind what was stored meanwhile?
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::HubDiskFull | Self::DatabaseKilled | Self::DatabaseNetwork(_))
    }

    /// Lets it happen. What it stops is not started again.
    pub fn strike(self, site: &mut Site, rng: &mut fastrand::Rng) -> anyhow::Result<()> {
        match self {
            Self::EdgePowerCut => site.cut_power(),
            Self::EdgeKilled => site.kill_edge(),
            Self::EdgeFrozen => site.edge.as_mut().map_or(Ok(()), |edge| Ok(edge.freeze()?)),
            Self::EdgeRestarted => site.kill_edge().and_then(|()| site.start_edge()),
            Self::EdgeDiskFull => site.fill_edge_disk(),
            Self::TornTail => site.kill_edge().and_then(|()| site.tear_tail(Tear::Rubbish, rng)),
            Self::ClockStep(seconds) => {
                site.step_clock(seconds);
                site.kill_edge()
            }
            Self::HubKilled => site.kill_hub(),
            Self::HubFrozen => site.hub.as_mut().map_or(Ok(()), |hub| Ok(hub.freeze()?)),
            Self::HubDiskFull => site.fill_hub_disk(),
            Self::DatabaseKilled => site.database.as_mut().map_or(Ok(()), Database::kill),
            Self::DatabaseNetwork(network) => {
                if let Some(database) = &site.database {
                    database.set_network(network);
                }
                Ok(())
            }
            Self::Network(network) => {
                site.proxy.set(network);
                Ok(())
            }
        }
    }
}

/// Everything runs again, and on a whole network.
pub fn mend(site: &mut Site) -> anyhow::Result<()> {
    site.proxy.set(Network::Whole);
    site.free_disks()?;
    if let Some(database) = &mut site.database {
        database.mend()?;
    }
    if let Some(edge) = &mut site.edge {
        edge.thaw()?;
    }
    if let Some(hub) = &mut site.hub {
        hub.thaw()?;
    }
    site.start_hub()?;
    site.start_edge()
}

fn network(rng: &mut fastrand::Rng) -> Network {
    match rng.u8(0..4) {
        0 => Network::Cut,
        1 => Network::Silent,
        2 => Network::Slow { bytes: rng.usize(1..300), pause: Duration::from_millis(rng.u64(1..20)) },
        _ => Network::CutAfter(rng.usize(0..20_000)),
    }
}

/// Rounds of one to three faults at once, each for a moment.
pub fn strike_for_rounds(
    site: &mut Site,
    rng: &mut fastrand::Rng,
    rounds: u32,
) -> anyhow::Result<Vec<Fault>> {
    let mut struck = Vec::new();
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(rng.u64(50..900)));
        for _ in 0..rng.u8(1..=3) {
            let fault = Fault::draw(site, rng);
            fault.strike(site, rng)?;
            struck.push(fault);
            thread::sleep(Duration::from_millis(rng.u64(0..300)));
        }
        thread::sleep(Duration::from_millis(rng.u64(50..900)));
        mend(site)?;
    }
    Ok(struck)
}
