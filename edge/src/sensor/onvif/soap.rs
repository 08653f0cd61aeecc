//! What is said to an ONVIF device, and what its answers mean. Pure: texts in and out.

use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use roxmltree::{Document, Node};

use super::reference::Reference;

/// How long a device may wait for something to tell.
pub(super) const PULL_S: u64 = 10;
/// How long a subscription lasts without being pulled.
const SUBSCRIPTION_S: u64 = 60;
/// One that ends within this is made to last longer.
const SOON: SignedDuration = SignedDuration::from_secs(30);
const MOST_MESSAGES: u32 = 100;
const MOST_NAMESPACES: usize = 1000;
const MOST_ATTRIBUTES: usize = 5000;

/// Something to ask for: the body of a request, and the action it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// What time it is there; every device tells without a login.
    Time,
    /// Where its events are.
    Events,
    /// To hear of events from now on.
    Subscribe,
    /// How everything stands now.
    Synchronise,
    /// What happened since.
    Pull,
    /// To be told for longer.
    Renew,
}

impl Ask {
    pub const fn action(self) -> &'static str {
        match self {
            Self::Time => "http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime",
            Self::Events => "http://www.onvif.org/ver10/device/wsdl/GetCapabilities",
            Self::Subscribe => {
                "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest"
            }
            Self::Synchronise => {
                "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SetSynchronizationPointRequest"
            }
            Self::Pull => "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest",
            Self::Renew => "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest",
        }
    }

    fn body(self) -> String {
        const DEVICE: &str = "xmlns=\"http://www.onvif.org/ver10/device/wsdl\"";
        const EVENTS: &str = "xmlns=\"http://www.onvif.org/ver10/events/wsdl\"";
        match self {
            Self::Time => format!("<GetSystemDateAndTime {DEVICE}/>"),
            Self::Events => {
                format!("<GetCapabilities {DEVICE}><Category>Events</Category></GetCapabilities>")
            }
            Self::Subscribe => format!(
                "<CreatePullPointSubscription {EVENTS}><InitialTerminationTime>PT{SUBSCRIPTION_S}S\
                 </InitialTerminationTime></CreatePullPointSubscription>"
            ),
            Self::Synchronise => format!("<SetSynchronizationPoint {EVENTS}/>"),
            Self::Renew => format!(
                "<Renew xmlns=\"http://docs.oasis-open.org/wsn/b-2\"><TerminationTime>PT{SUBSCRIPTION_S}S\
                 </TerminationTime></Renew>"
            ),
            Self::Pull => format!(
                "<PullMessages {EVENTS}><Timeout>PT{PULL_S}S</Timeout><MessageLimit>{MOST_MESSAGES}</MessageLimit>\
                 </PullMessages>"
            ),
        }
    }

    /// The whole request; `token` is the header that says who asks.
    pub fn envelope(self, of: &Reference, token: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header><a:Action>{}</a:Action><a:To>{}</a:To>{token}{}\
             </s:Header><s:Body>{}</s:Body></s:Envelope>",
            self.action(),
            escaped(&of.address),
            of.headers,
            self.body()
        )
    }
}

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sensor) enum AnswerFault {
    /// It is no XML, or none of the kind that was asked for.
    #[error("the answer makes no sense: {0}")]
    Nonsense(String),
    /// The device refuses, in its own words.
    #[error("the device refuses: {0}")]
    Refused(String),
    /// It does not believe who asks.
    #[error("the device refuses the login: check `username` and `password_file`")]
    Login,
}

/// One message of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub topic: String,
    pub source: Vec<(String, String)>,
    pub data: Vec<(String, String)>,
}

/// What time it is at the device.
pub(super) fn time(answer: &str) -> Result<Timestamp, AnswerFault> {
    let document = parse(answer)?;
    let utc = find(document.root(), "UTCDateTime").ok_or_else(|| lacks("UTCDateTime"))?;
    let number = |name: &str| -> Option<i16> { find(utc, name)?.text()?.trim().parse().ok() };
    let small = |name: &str| number(name).and_then(|number| i8::try_from(number).ok());
    let civil = || {
        let (year, month, day) = (number("Year")?, small("Month")?, small("Day")?);
        DateTime::new(year, month, day, small("Hour")?, small("Minute")?, small("Second")?.min(59), 0).ok()
    };
    let utc = civil().and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok());
    utc.ok_or_else(|| lacks("a time"))
}

/// Where events are, as the device says it.
pub(super) fn events_address(answer: &str) -> Result<String, AnswerFault> {
    let document = parse(answer)?;
    let events = find(document.root(), "Events").and_then(|events| find(events, "XAddr"));
    events.and_then(|it| it.text()).map(|text| text.trim().to_owned()).ok_or_else(|| lacks("Events"))
}

/// What happened.
pub(super) fn messages(answer: &str) -> Result<Vec<Message>, AnswerFault> {
    let document = parse(answer)?;
    find(document.root(), "PullMessagesResponse").ok_or_else(|| lacks("PullMessagesResponse"))?;
    let notifications = document.descendants().filter(|node| is(*node, "NotificationMessage"));
    let message = |notification: Node<'_, '_>| {
        let topic = find(notification, "Topic")?.text()?.trim().to_owned();
        let items = |part: &str| -> Vec<(String, String)> {
            let Some(part) = find(notification, part) else { return Vec::new() };
            let items = part.descendants().filter(|node| is(*node, "SimpleItem"));
            items
                .filter_map(|it| Some((it.attribute("Name")?.to_owned(), it.attribute("Value")?.to_owned())))
                .collect()
        };
        let inner = notification.descendants().filter(|node| is(*node, "Message"));
        let is_gone = inner.filter_map(|it| it.attribute("PropertyOperation")).any(|it| it == "Deleted");
        (!is_gone).then(|| Message { topic, source: items("Source"), data: items("Data") })
    };
    Ok(notifications.filter_map(message).collect())
}

/// Does the device say that the subscription it was pulled from ends soon?
pub(super) fn ends_soon(answer: &str) -> bool {
    let Ok(document) = parse(answer) else { return false };
    let moment = |name: &str| {
        let text = find(document.root(), name)?.text()?.trim();
        let utc = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
        text.parse().ok().or_else(utc)
    };
    let times: Option<(Timestamp, Timestamp)> = moment("CurrentTime").zip(moment("TerminationTime"));
    times.is_some_and(|(now, end)| end.duration_since(now) < SOON)
}

/// Without a document type, entities cannot blow up. The parser's time grows with the cube of namespaces and the square
/// of attributes, so no answer may have more than a hundred messages need.
pub(super) fn parse(answer: &str) -> Result<Document<'_>, AnswerFault> {
    if answer.matches("xmlns").count() > MOST_NAMESPACES || answer.matches('=').count() > MOST_ATTRIBUTES {
        return Err(AnswerFault::Nonsense("it has more attributes than any answer needs".to_owned()));
    }
    let document = Document::parse(answer).map_err(|error| AnswerFault::Nonsense(error.to_string()))?;
    if let Some(fault) = find(document.root(), "Fault") {
        let words: Vec<&str> = fault.descendants().filter_map(|node| node.text()).map(str::trim).collect();
        if words.iter().any(|word| word.ends_with("NotAuthorized") || word.ends_with("FailedAuthentication"))
        {
            return Err(AnswerFault::Login);
        }
        let reason = find(fault, "Text").and_then(|text| text.text()).unwrap_or("no reason given");
        return Err(AnswerFault::Refused(reason.trim().chars().take(200).collect()));
    }
    Ok(document)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

pub(super) fn find<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.descendants().find(|node| is(*node, name))
}

pub(super) fn lacks(what: &str) -> AnswerFault {
    AnswerFault::Nonsense(format!("{what} is not in it"))
}

/// For the text of an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The shape of the ONVIF Core Specification's example of PullMessagesResponse.
    const PULLED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"
 xmlns:tet="http://www.onvif.org/ver10/events/wsdl" xmlns:tns1="http://www.onvif.org/ver10/topics"
 xmlns:tt="http://www.onvif.org/ver10/schema"><SOAP-ENV:Body><tet:PullMessagesResponse>
<tet:CurrentTime>2008-10-10T12:24:58</tet:CurrentTime><tet:TerminationTime>2008-10-10T12:25:58</tet:TerminationTime>
<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">
tns1:Device/Trigger/DigitalInput</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2008-10-10T12:24:57.321Z"
 PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="InputToken" Value="1"/></tt:Source>
<tt:Data><tt:SimpleItem Name="LogicalState" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>
<wsnt:NotificationMessage><wsnt:Topic>tns1:Device/Trigger/DigitalInput</wsnt:Topic><wsnt:Message>
<tt:Message UtcTime="2008-10-10T12:24:57.321Z" PropertyOperation="Deleted"><tt:Source/></tt:Message></wsnt:Message>
</wsnt:NotificationMessage></tet:PullMessagesResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"#;

    #[test]
    fn messages_are_read_whatever_their_prefixes() {
        let expected = Message {
            topic: "tns1:Device/Trigger/DigitalInput".into(),
            source: vec![("InputToken".into(), "1".into())],
            data: vec![("LogicalState".into(), "true".into())],
        };
        assert_eq!(
            messages(PULLED).unwrap(),
            std::slice::from_ref(&expected),
            "what was deleted says nothing"
        );
        assert_eq!(
            messages(&PULLED.replace("tt:", "schema:").replace("xmlns:tt", "xmlns:schema")).unwrap(),
            [expected]
        );
    }

    #[test]
    fn refusals_are_told_in_the_devices_words() {
        let fault = |code: &str| {
            format!(
                "<e:Envelope xmlns:e='x'><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{code}\
                 </e:Value></e:Subcode></e:Code><e:Reason><e:Text>too many subscriptions</e:Text></e:Reason></e:Fault>\
                 </e:Body></e:Envelope>"
            )
        };
        assert_eq!(messages(&fault("ter:NotAuthorized")), Err(AnswerFault::Login));
        let refused = messages(&fault("ter:Action")).unwrap_err().to_string();
        assert_eq!(refused, "the device refuses: too many subscriptions");
        assert!(
            messages("<html>").is_err()
                && messages("<html/>").unwrap_err().to_string().contains("is not in it")
        );
        let bomb = "<!DOCTYPE b [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><b>&b;</b>";
        assert!(messages(bomb).unwrap_err().to_string().contains("makes no sense"));
    }

    #[test]
    fn a_subscription_that_ends_soon_is_known() {
        assert!(!ends_soon(PULLED));
        assert!(
            ends_soon(&PULLED.replace("12:25:58", "12:25:20"))
                && ends_soon(&PULLED.replace("12:25:58", "12:25:20Z"))
        );
        assert!(!ends_soon(&PULLED.replace("2008-10-10T12:25:58", "soon")) && !ends_soon("<html>"));
    }

    #[test]
    fn an_answer_that_is_nothing_but_depth_is_read_on_a_small_stack() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        let read = move || messages(&deep).is_err();
        assert!(std::thread::Builder::new().stack_size(256 << 10).spawn(read).unwrap().join().unwrap());
    }

    #[test]
    fn an_answer_whose_names_would_take_the_parser_minutes_is_not_read() {
        let spaces = "<a xmlns:b='c'>".repeat(MOST_NAMESPACES + 1);
        let attributes = format!("<a {}/>", " b='c'".repeat(MOST_ATTRIBUTES + 1));
        for answer in [spaces, attributes] {
            assert!(messages(&answer).unwrap_err().to_string().contains("more attributes"));
        }
    }

    #[test]
    fn the_devices_clock_is_read() {
        let told = "<r><UTCDateTime><Time><Hour>8</Hour><Minute>30</Minute><Second>5</Second></Time>\
                    <Date><Year>2026</Year><Month>1</Month><Day>31</Day></Date></UTCDateTime></r>";
        assert_eq!(time(told).unwrap().to_string(), "2026-01-31T08:30:05Z");
        assert!(time(&told.replace("<Month>1<", "<Month>13<")).is_err());
        assert!(time("<r/>").is_err());
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(text in ".{0,300}", cut in 0..PULLED.len()) {
            let _ = (messages(&text), time(&text), events_address(&text));
            if PULLED.is_char_boundary(cut) {
                prop_assert!(messages(&PULLED[..cut]).is_err());
            }
        }
    }
}
