//! Where a subscription is and by what its device knows it: an endpoint reference (WS-Addressing 1.0 Core, 2.1), of which
//! each request about it has to say (WS-Addressing 1.0 SOAP Binding, 3.4).

use std::fmt::Write as _;

use roxmltree::{NS_XML_URI, Node};

use super::soap::{AnswerFault, escaped, find, lacks, parse};

/// A device needs a number or a name of its own.
const MOST_HEADER_BYTES: usize = 4096;
/// What `a:` stands for in a request.
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
/// Attribute of a header that is a parameter.
const MARK: &str = "IsReferenceParameter";

/// What is asked of a device, as the device names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub address: String,
    /// Headers that tell it from others at the same address.
    pub headers: String,
}

/// The subscription that was asked for.
pub(super) fn subscription(answer: &str) -> Result<Reference, AnswerFault> {
    let document = parse(answer)?;
    let missing = || lacks("SubscriptionReference");
    let reference = find(document.root(), "SubscriptionReference").ok_or_else(missing)?;
    let address = find(reference, "Address").and_then(|it| it.text()).ok_or_else(missing)?;
    let parameters = find(reference, "ReferenceParameters");
    // Limits how deep they are, too.
    if parameters.is_some_and(|it| it.range().len() > MOST_HEADER_BYTES) {
        return Err(AnswerFault::Nonsense(format!(
            "reference parameters of more than {MOST_HEADER_BYTES} bytes"
        )));
    }
    let mut headers = String::new();
    for parameter in parameters.iter().flat_map(Node::children).filter(Node::is_element) {
        element(&mut headers, parameter, &format!(" a:{MARK}=\"true\""));
    }
    Ok(Reference { address: address.trim().to_owned(), headers })
}

/// Writes an element and what is in it, with namespaces of its own: those of the answer are not those of a request.
fn element(xml: &mut String, node: Node<'_, '_>, marks: &str) {
    let name = node.tag_name();
    let _ = write!(xml, "<{} xmlns=\"{}\"{marks}", name.name(), quoted(name.namespace().unwrap_or_default()));
    for (number, attribute) in node.attributes().enumerate() {
        let (name, value) = (attribute.name(), quoted(attribute.value()));
        let _ = match attribute.namespace() {
            None => write!(xml, " {name}=\"{value}\""),
            // Of no other prefix (Namespaces in XML 1.0, 3).
            Some(NS_XML_URI) => write!(xml, " xml:{name}=\"{value}\""),
            // A mark of its own: it must not stand there twice.
            Some(ADDRESSING) if name == MARK && !marks.is_empty() => continue,
            Some(space) => write!(xml, " xmlns:n{number}=\"{}\" n{number}:{name}=\"{value}\"", quoted(space)),
        };
    }
    xml.push('>');
    for child in node.children() {
        if child.is_element() {
            element(xml, child, "");
        } else if child.is_text() {
            xml.push_str(&escaped(child.text().unwrap_or_default()));
        }
    }
    let _ = write!(xml, "</{}>", name.name());
}

/// For the value of an attribute.
fn quoted(text: &str) -> String {
    escaped(text).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::Document;

    use super::super::soap::Ask;
    use super::*;

    fn answer(parameters: &str) -> String {
        format!(
            "<e:Envelope xmlns:e='x' xmlns:w='http://www.w3.org/2005/08/addressing' xmlns:d='urn:device'><e:Body>\
             <SubscriptionReference><w:Address> http://192.0.2.9/sub </w:Address>{parameters}</SubscriptionReference>\
             </e:Body></e:Envelope>"
        )
    }

    #[test]
    fn what_the_device_knows_it_by_is_said_with_each_request() {
        let parameters = "<w:ReferenceParameters><d:Id d:kind='a&quot;b' n='1'>7 &lt; 8<d:Sub/></d:Id><Bare/></w:ReferenceParameters>";
        let reference = subscription(&answer(parameters)).unwrap();
        assert_eq!(reference.address, "http://192.0.2.9/sub");
        let request = Ask::Pull.envelope(&reference, "");
        let request = Document::parse(&request).unwrap();
        let mark = ("http://www.w3.org/2005/08/addressing", "IsReferenceParameter");
        let headers: Vec<_> =
            request.descendants().filter(|node| node.attribute(mark) == Some("true")).collect();
        let [id, bare] = headers[..] else { panic!("{headers:?}") };
        assert!(id.has_tag_name(("urn:device", "Id")) && bare.has_tag_name("Bare"));
        assert!(headers.iter().all(|it| it.parent().is_some_and(|it| it.tag_name().name() == "Header")));
        assert_eq!((id.attribute(("urn:device", "kind")), id.attribute("n")), (Some("a\"b"), Some("1")));
        assert_eq!(id.text(), Some("7 < 8"));
        assert!(id.children().any(|it| it.has_tag_name(("urn:device", "Sub"))));
    }

    #[test]
    fn most_devices_have_an_address_for_each() {
        assert_eq!(subscription(&answer("")).unwrap().headers, "");
        assert!(subscription("<x/>").unwrap_err().to_string().contains("is not in it"));
    }

    #[test]
    fn what_no_device_needs_is_refused() {
        let long =
            format!("<w:ReferenceParameters>{}</w:ReferenceParameters>", " ".repeat(MOST_HEADER_BYTES));
        assert!(subscription(&answer(&long)).unwrap_err().to_string().contains("4096 bytes"));
    }

    proptest! {
        #[test]
        fn whatever_it_is_the_request_stays_one(name in "[a-z]{1,5}", value in "[ -~]{0,20}", text in "[ -~]{0,20}") {
            let parameters = format!(
                "<w:ReferenceParameters><{name} v=\"{}\">{}</{name}></w:ReferenceParameters>", quoted(&value), escaped(&text)
            );
            let request = Ask::Renew.envelope(&subscription(&answer(&parameters)).unwrap(), "");
            let request = Document::parse(&request).unwrap();
            let header = request.descendants().find(|node| node.has_tag_name(name.as_str()));
            let header = header.unwrap();
            prop_assert_eq!((header.attribute("v"), header.text().unwrap_or_default()), (Some(value.as_str()), text.as_str()));
        }
    }
}
