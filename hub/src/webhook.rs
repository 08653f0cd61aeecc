//! Tells other programs of incidents: CloudEvents over HTTPS, signed, at least once and in order.
//!
//! Each webhook follows the steps of incidents, which have numbers without a gap, and keeps in the database how far it has got. While a
//! receiver is away its steps wait; nothing else waits for it. What is refused for good, or not taken for too long, is put among the dead and
//! the next is told; the page and `gatepost-hub webhook` list the dead and have them sent again.

mod message;
mod post;
mod receiver;

use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Tells, Webhook};
use crate::incident::{Kind, Stage};
use crate::store::{Duty, Refused, Store, StoreError, Telling, ToldStep};
use crate::traces::{self, Span, TraceId, Traces};
pub use message::id as message_id;
use post::{Post, Refusal};
pub use receiver::Receiver;

/// Steps read at a time.
const HANDFUL: u16 = 100;

/// How soon it is noticed that somebody wants something sent again.
const LOOK: Duration = Duration::from_secs(5);

/// After the first failure; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// And no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A webhook cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("webhook {name}: {source}")]
pub struct WebhookError {
    name: String,
    source: crate::tls::TlsError,
}

/// The running tasks, one for each webhook.
#[derive(Debug)]
pub struct Webhooks {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Webhooks {
    /// Starts them; `changes` says when there is something new.
    ///
    /// # Errors
    /// When the authorities of a receiver cannot be read.
    pub fn start(
        webhooks: &[Webhook],
        store: &Store,
        changes: &watch::Receiver<i64>,
        traces: &Traces,
    ) -> Result<Self, WebhookError> {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        for webhook in webhooks {
            let named = |source| WebhookError { name: webhook.name.as_str().to_owned(), source };
            let post = Post::new(webhook).map_err(named)?;
            let teller =
                Teller { webhook: webhook.clone(), post, store: store.clone(), traces: traces.clone() };
            tasks.spawn(teller.run(changes.clone(), stop.clone()));
        }
        Ok(Self { tasks, stop })
    }

    /// Ends them. What was on its way is told again after the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a webhook did not end well");
            }
        }
    }
}

/// What a step is worth telling as, if anything.
pub fn tells(step: &ToldStep) -> Option<Tells> {
    match step.step.action {
        Kind::Open => Some(Tells::Opened),
        Kind::Escalate => Some(Tells::Escalated),
        Kind::Worsen | Kind::Remind | Kind::Shelve | Kind::Unshelve => None,
        // Of the one that goes on there is nothing to tell.
        Kind::Merge if step.step.to != Stage::Closed => None,
        Kind::Note | Kind::Attach | Kind::Withdraw => None,
        Kind::Extend | Kind::RequestExtension | Kind::ApproveExtension | Kind::DeclineExtension => None,
        _ if step.step.to == Stage::Closed => Some(Tells::Closed),
        _ => Some(Tells::StageChanged),
    }
}

struct Teller {
    webhook: Webhook,
    post: Post,
    store: Store,
    traces: Traces,
}

impl Teller {
    async fn run(self, mut changes: watch::Receiver<i64>, stop: CancellationToken) {
        let work = async {
            let mut looks = tokio::time::interval(LOOK);
            let duty = Duty::Webhook(self.webhook.name.as_str().to_owned());
            let mut leadership = self.store.leadership(duty);
            loop {
                let told = match leadership.is_ours().await {
                    Ok(true) => self.tell().await,
                    Ok(false) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = told {
                    tracing::error!(webhook = self.webhook.name.as_str(), %error, "what was told cannot be noted; trying again");
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    _ = looks.tick() => {}
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    async fn tell(&self) -> Result<(), StoreError> {
        self.tell_again().await?;
        self.tell_new().await
    }

    async fn tell_new(&self) -> Result<(), StoreError> {
        let name = self.webhook.name.as_str();
        loop {
            let after = self.store.webhook_position(name).await?;
            let steps = self.store.steps_to_tell(after, HANDFUL).await?;
            let more = steps.len() >= usize::from(HANDFUL);
            let mut passed = None;
            for step in &steps {
                let Some(tells) = self.wanted(step) else {
                    passed = Some(step.number);
                    continue;
                };
                passed = None;
                let became = self.insist(step, tells).await;
                self.store.move_webhook(name, step.number, &became).await?;
            }
            if let Some(number) = passed {
                self.store.move_webhook(name, number, &Telling::Unwanted).await?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn wanted(&self, step: &ToldStep) -> Option<Tells> {
        let here = |site: &str| self.webhook.sites.iter().flatten().any(|one| one.as_str() == site);
        let sited = self.webhook.sites.is_none() || step.site.as_deref().is_some_and(here);
        tells(step).filter(|tells| sited && self.webhook.tells.contains(tells))
    }

    /// Until it is taken, refused for good, or has taken too long; what it is then.
    async fn insist(&self, step: &ToldStep, tells: Tells) -> Telling {
        let name = self.webhook.name.as_str();
        let (began, mut pause, mut attempts) = (Instant::now(), FIRST_PAUSE, 0);
        loop {
            attempts += 1;
            let refusal = match self.attempt(step, tells, attempts).await {
                Ok(()) => {
                    if attempts > 1 {
                        tracing::info!(webhook = name, step = step.number, attempts, "taken");
                    }
                    return Telling::Taken;
                }
                Err(refusal) => refusal,
            };
            if attempts == 1 {
                tracing::warn!(webhook = name, step = step.number, "{refusal}; later ones wait");
            }
            let over = began.elapsed() >= self.webhook.give_up_after;
            if over || matches!(refusal, Refusal::ForGood(_)) {
                tracing::error!(
                    webhook = name,
                    step = step.number,
                    attempts,
                    "{refusal}; put among the dead: gatepost-hub webhook dead"
                );
                return Telling::Dead(refused(attempts, &refusal));
            }
            if let Err(error) = self.store.note_webhook_failure(name, &refused(attempts, &refusal)).await {
                // It is for people to look at; telling goes on without it.
                tracing::warn!(webhook = name, %error, "that it was not taken cannot be noted");
            }
            // Half of it by chance, so that many hubs do not come back at once.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Tells it once.
    async fn attempt(&self, step: &ToldStep, tells: Tells, attempts: i64) -> Result<(), Refusal> {
        let (began, clock) = (Timestamp::now(), Instant::now());
        let sent = self.post.send(step, tells).await;
        if let Some(trace) = TraceId::of_ulid(&step.incident.id).filter(|trace| self.traces.follow(*trace)) {
            let span = Span::new(trace, "tell a webhook", began, clock.elapsed())
                .kind(traces::Kind::Client)
                .word("gatepost.webhook", self.webhook.name.as_str())
                .number("gatepost.incident.number", step.incident.number)
                .number("gatepost.webhook.step", step.number)
                .number("gatepost.webhook.attempt", attempts);
            self.traces.tell(match &sent {
                Ok(()) => span,
                Err(refusal) => span.failed(refusal.to_string()),
            });
        }
        sent
    }

    /// Once each; what is not taken stays among the dead.
    async fn tell_again(&self) -> Result<(), StoreError> {
        let name = self.webhook.name.as_str();
        for step in self.store.steps_to_tell_again(name, HANDFUL).await? {
            let told = match tells(&step) {
                Some(tells) => self.attempt(&step, tells, 1).await,
                None => Ok(()),
            };
            match told {
                Ok(()) => self.store.bury_not(name, step.number).await?,
                Err(refusal) => {
                    self.store.bury_again(name, step.number, &refused(1, &refusal)).await?;
                }
            }
        }
        Ok(())
    }
}

fn refused(attempts: i64, refusal: &Refusal) -> Refused {
    Refused { time: Timestamp::now(), attempts, reason: refusal.to_string() }
}
