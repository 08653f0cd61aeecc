//! Retained messages of the embedded broker.
//!
//! Only state is kept (health and presence), and only in memory: the store has it on disk, and the one reader a
//! device's topics can have here is the device itself.

use std::time::Duration;

use async_trait::async_trait;
use gatepost_wire::Topic;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::types::{Retain, TopicFilter, TopicName};

pub(super) struct Retained(DefaultRetainStorage);

impl Retained {
    pub fn new() -> Self {
        Self(DefaultRetainStorage::new())
    }
}

#[async_trait]
impl RetainStorage for Retained {
    /// Without it, CONNACK tells devices that they may not retain, and their wills are refused.
    fn enable(&self) -> bool {
        true
    }

    async fn set(&self, topic: &TopicName, retain: Retain, _: Option<Duration>) -> rmqtt::Result<()> {
        match topic.parse::<Topic>() {
            // No expiry: rmqtt proposes five minutes where the message names none.
            Ok(Topic::Health(_) | Topic::Presence(_)) => self.0.set_with_timeout(topic, retain, None).await,
            _ => Ok(()),
        }
    }

    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.0.count().await
    }

    async fn max(&self) -> isize {
        self.0.max().await
    }
}
