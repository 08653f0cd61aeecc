//! What a disk can do to the outbox, one thing at a time, while nothing can be delivered.

use std::time::Duration;

use anyhow::ensure;

use crate::faults::mend;
use crate::site::{Site, Tear};
use crate::verdict::Verdict;

/// At least so many events have to be at stake.
const AT_STAKE: usize = 50;
/// Between the cuts the edge lives so long, and a random while more.
const LIFE: Duration = Duration::from_millis(300);

/// Cuts the power so often at random moments; nothing may be lost, unless the disk lies about `fdatasync`.
pub fn power_cuts(seed: u64, cuts: u32, disk_lies: bool) -> anyhow::Result<Verdict> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut site = Site::start(seed)?;
    site.disk_lies = disk_lies;
    site.kill_hub()?;
    for _ in 0..cuts {
        site.start_edge()?;
        live(&mut rng);
        site.cut_power()?;
    }
    site.disk_lies = false;
    settle(&mut site)
}

/// Kills the edge so often while a full disk refuses what it writes, and leaves rubbish behind what it had written; nothing may be
/// lost, nothing be shown as missing that was never recorded. None where no small disk can be had.
pub fn kills_on_a_full_disk(seed: u64, kills: u32) -> anyhow::Result<Option<Verdict>> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut site = Site::start(seed)?;
    if !site.has_small_disks() {
        return Ok(None);
    }
    site.kill_hub()?;
    for _ in 0..kills {
        site.start_edge()?;
        live(&mut rng);
        site.fill_edge_disk()?;
        live(&mut rng);
        // sled still finds room in what it has taken from the disk before.
        site.fill_edge_disk()?;
        live(&mut rng);
        site.kill_edge()?;
        site.free_disks()?;
        site.tear_tail(Tear::Rubbish, &mut rng)?;
    }
    settle(&mut site).map(Some)
}

/// Damages the newest log while nobody has it open. What cannot be read then must be reported.
pub fn torn_log(seed: u64, tear: Tear) -> anyhow::Result<Verdict> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut site = Site::start(seed)?;
    site.kill_hub()?;
    site.start_edge()?;
    live(&mut rng);
    // On a busy machine the edge has hardly begun by then.
    site.wait_for_recorded(AT_STAKE)?;
    site.kill_edge()?;
    site.tear_tail(tear, &mut rng)?;
    // Found, and killed again: what was found must not be forgotten with it. It once was.
    site.start_edge()?;
    site.kill_edge()?;
    settle(&mut site)
}

fn live(rng: &mut fastrand::Rng) {
    std::thread::sleep(LIFE + Duration::from_millis(rng.u64(..1200)));
}

fn settle(site: &mut Site) -> anyhow::Result<Verdict> {
    mend(site)?;
    site.stop_edge()?;
    // The edge has ended, so everything it had is delivered.
    let verdict = site.verdict(Duration::ZERO)?;
    ensure!(verdict.recorded >= AT_STAKE, "only {} events were recorded: no test", verdict.recorded);
    Ok(verdict)
}
