//! Cameras that tell of their own inputs, and of what they noticed themselves: ONVIF events, pulled (WS-PullPoint).

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod login;
mod post;
mod reference;
mod soap;

use std::sync::Arc;
use std::time::Duration;

use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};
use url::Url;

use self::login::Login;
use self::post::{PostFault, at, post};
use self::reference::Reference;
use self::soap::{AnswerFault, Ask, Message};
use super::sign::{Line, Reading, Said, Sign};
use crate::clock::Clock;
use crate::config::{OnvifDevice, OnvifPoint};
use crate::secret::{SecretError, read_secret};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A device that answers at once instead of waiting until there is something to tell is not asked more often.
const PULL_EVERY: Duration = Duration::from_millis(100);
/// Nor is one that refuses it asked more often to let a subscription last.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// A device whose events are pulled.
pub(super) struct Onvif {
    device: OnvifDevice,
    points: Vec<OnvifPoint>,
    subscription: Option<Subscription>,
    clock: Arc<Clock>,
}

/// What is asked at a device: a service of it, or a subscription.
struct Endpoint {
    url: Url,
    reference: Reference,
}

impl Endpoint {
    fn service(url: Url) -> Self {
        let reference = Reference { address: url.to_string(), headers: String::new() };
        Self { url, reference }
    }
}

struct Subscription {
    endpoint: Endpoint,
    /// What to add to UTC here to get the device's.
    ahead: SignedDuration,
    /// When it may be pulled again, and made to last longer again.
    pull_at: Instant,
    renew_at: Instant,
}

/// Nothing is heard of a device.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnvifFault {
    #[error("{device}: {fault}")]
    Post { device: String, fault: PostFault },
    #[error("{device}: {fault}")]
    Answer { device: String, fault: AnswerFault },
    #[error("`onvif.password_file`: {0}")]
    Secret(#[from] SecretError),
}

impl Onvif {
    /// The points are the line's sensors in their order.
    pub fn new(device: OnvifDevice, points: Vec<OnvifPoint>, clock: Arc<Clock>) -> Self {
        Self { device, points, subscription: None, clock }
    }

    async fn subscribe(&self) -> Result<Subscription, OnvifFault> {
        let configured = self.device.url.url();
        let device = Endpoint::service(configured.clone());
        // A digest made at another time than the device's is refused.
        let told = self.send(&device, Ask::Time, None, "").await?;
        let ahead = soap::time(&told).map_err(|fault| self.no_sense(fault))?.duration_since(self.now());
        let events = self.ask(&device, Ask::Events, ahead).await?;
        let events = soap::events_address(&events).map_err(|fault| self.no_sense(fault))?;
        let events = Endpoint::service(at(configured, &events));
        let subscribed = self.ask(&events, Ask::Subscribe, ahead).await?;
        let reference = reference::subscription(&subscribed).map_err(|fault| self.no_sense(fault))?;
        let endpoint = Endpoint { url: at(configured, &reference.address), reference };
        let now = Instant::now();
        let subscription = Subscription { endpoint, ahead, pull_at: now, renew_at: now + RENEW_EVERY };
        // How its inputs stand would else be known only when they change. Some devices tell unasked, and refuse this.
        let _ = self.ask(&subscription.endpoint, Ask::Synchronise, ahead).await;
        Ok(subscription)
    }

    /// What happened since the last pull. Each makes the subscription last longer (ONVIF Core Specification, 9.1.2), but not
    /// with every device.
    async fn pull(&self, subscription: &mut Subscription) -> Result<Vec<Message>, OnvifFault> {
        sleep_until(subscription.pull_at).await;
        subscription.pull_at = Instant::now() + PULL_EVERY;
        let pulled = self.ask(&subscription.endpoint, Ask::Pull, subscription.ahead).await?;
        let messages = soap::messages(&pulled).map_err(|fault| self.no_sense(fault))?;
        if subscription.renew_at <= Instant::now() && soap::ends_soon(&pulled) {
            subscription.renew_at = Instant::now() + RENEW_EVERY;
            // Where it is refused the next pull will tell.
            let _ = self.ask(&subscription.endpoint, Ask::Renew, subscription.ahead).await;
        }
        Ok(messages)
    }

    /// Asks for something and says who asks. `ahead` is what to add to the time here.
    async fn ask(&self, of: &Endpoint, ask: Ask, ahead: SignedDuration) -> Result<String, OnvifFault> {
        let (login, now) = (self.login()?, self.now());
        let time = now.checked_add(ahead).unwrap_or(now);
        let token = login.as_ref().map(|login| login.token(time)).unwrap_or_default();
        self.send(of, ask, login.as_ref(), &token).await
    }

    async fn send(
        &self,
        of: &Endpoint,
        ask: Ask,
        login: Option<&Login>,
        token: &str,
    ) -> Result<String, OnvifFault> {
        let within = if ask == Ask::Pull { PATIENCE + Duration::from_secs(soap::PULL_S) } else { PATIENCE };
        let answer = post(&of.url, ask, ask.envelope(&of.reference, token), login, within).await;
        answer.map_err(|fault| OnvifFault::Post { device: self.device.url.to_string(), fault })
    }

    /// Who asks, where the device wants to know. Read each time: it may be corrected meanwhile.
    fn login(&self) -> Result<Option<Login>, OnvifFault> {
        let (Some(user), Some(file)) = (&self.device.username, &self.device.password_file) else {
            return Ok(None);
        };
        Ok(Some(Login { user: user.clone(), password: read_secret(file)? }))
    }

    fn no_sense(&self, fault: AnswerFault) -> OnvifFault {
        OnvifFault::Answer { device: self.device.url.to_string(), fault }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().1
    }
}

impl Line for Onvif {
    type Fault = OnvifFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, OnvifFault> {
        let Some(mut subscription) = self.subscription.take() else {
            self.subscription = Some(self.subscribe().await?);
            let (at, _) = self.clock.now();
            let linked = |sensor| Sign { sensor, at, said: Said::Linked };
            return Ok((0..self.points.len()).map(linked).collect());
        };
        let messages = self.pull(&mut subscription).await?;
        self.subscription = Some(subscription);
        let (at, _) = self.clock.now();
        let mut signs = Vec::new();
        for message in &messages {
            for (sensor, point) in self.points.iter().enumerate() {
                signs.extend(said(point, message).map(|said| Sign { sensor, at, said }));
            }
        }
        Ok(signs)
    }
}

/// What a message says of a sensor, if it is about it.
fn said(point: &OnvifPoint, message: &Message) -> Option<Said> {
    let has = |(name, value): (&String, &String)| message.source.iter().any(|(n, v)| n == name && v == value);
    if !point.topic.is(&message.topic) || !point.source.iter().all(has) {
        return None;
    }
    let tripped = match &point.item {
        None => true,
        Some((item, values)) => match message.data.iter().find(|(name, _)| name == item) {
            Some((_, value)) => values.contains(value),
            None => return Some(Said::Failed(format!("its message has no {item:?}"))),
        },
    };
    Some(Said::Reading(Reading { tripped: Some(tripped), ..Reading::default() }))
}
