//! `/api/v1/incidents/{id}/attachments`: adding files to an incident, and handing them out.

mod upload;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::incidents::find;
use super::params::{Id, Params};
use super::problem::Problem;
use crate::attachment::{Attachment, FileName, Format};
use crate::evidence::hex;
use crate::incident::{IncidentId, Kind, StepError};
use crate::store::{IncidentError, KeptAttachment};

pub use upload::Attachments;

/// No name that is sent is longer.
const LONGEST_NAME: usize = 200;

/// Nobody in it is covered: it is kept nowhere.
const UNCOVERED: HeaderValue = HeaderValue::from_static("no-store");

/// Opened by itself, it can do nothing and load nothing.
const INERT: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// What a file is to be called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Called {
    /// The name the file has where it comes from: one line of 1 to 200 characters. Of it what a name may have is kept, with the end that goes
    /// with what the file is.
    #[param(value_type = String, format = "line", min_length = 1, max_length = 200, example = "gate.jpg")]
    name: SentName,
}

/// The name somebody sent.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct SentName(String);

impl TryFrom<String> for SentName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_line = !text.trim().is_empty() && !text.chars().any(char::is_control);
        if is_line && text.chars().count() <= LONGEST_NAME {
            Ok(Self(text))
        } else {
            Err(format!("one line of 1 to {LONGEST_NAME} characters is needed"))
        }
    }
}

/// What was attached to an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentAttachments {
    /// The first first; at most 20 whose bytes are here, and those that are gone.
    attachments: Vec<Attachment>,
}

/// Which attachment.
#[derive(Debug, Deserialize)]
pub struct Place {
    id: String,
    number: String,
}

/// What was attached to an incident
#[utoipa::path(get, path = "/api/v1/incidents/{id}/attachments", tag = "incidents",
    params(("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "Its attachments", body = IncidentAttachments),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentAttachments>, Problem> {
    find(&app, &caller, id).await?;
    let attachments = app.store.attachments(id, &caller.session.person, Timestamp::now()).await?;
    Ok(Json(IncidentAttachments { attachments }))
}

/// Attaches a file to an incident
///
/// The body is the file: JPEG, PNG, WebP or PDF, at most 10 MiB, told by its bytes whatever the headers say. Of a picture everything is taken out that is
/// not the picture: place, device, owner, preview. What is left is kept; its SHA-256 stands in the step of the timeline. It may be attached in any
/// stage. Photograph the place, not people: nobody in it is covered.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/attachments", tag = "incidents",
    params(
        ("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        Called,
    ),
    request_body(description = "The file", content(
        (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "application/pdf")
    )),
    responses(
        (status = 201, description = "It is kept", body = Attachment),
        (status = 400, description = "No ULID, no name, or the file is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or the request comes from another site's page", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The file took too long to come", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is attached already, or the incident has as many as it may have", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "It is larger than 10 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "By its bytes it is no JPEG, PNG, WebP or PDF", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be kept, or others are attaching something", body = Problem,
            content_type = "application/problem+json"),
        (status = 507, description = "The disk has no room for it", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
    Params(called): Params<Called>,
    request: Request,
) -> Result<Response, Problem> {
    // Before the body is taken: who may not add anything need not send it.
    let incident = find(&app, &caller, id).await?;
    if !incident.may.is_some_and(|may| may.contains(&Kind::Attach)) {
        let missing = Kind::Attach.permissions().first().copied();
        let missing = missing.unwrap_or(crate::access::Permission::WorkIncidents);
        return Err(IncidentError::Step(StepError::Forbidden(missing)).into());
    }
    let content = app.attachments.receive(request).await?;
    let name = FileName::of(&called.name.0, content.format());
    let person = caller.session.person.clone();
    let number = upload::keep(app.clone(), id, name, content, person.clone()).await?;
    let kept = app.store.attachments(id, &person, Timestamp::now()).await?;
    let kept = kept.into_iter().find(|attachment| attachment.number == number);
    let kept = kept.ok_or_else(|| Problem::not_found(format!("incident {id} has no attachment {number}")))?;
    let location = [(header::LOCATION, format!("/api/v1/incidents/{id}/attachments/{number}"))];
    Ok((StatusCode::CREATED, location, Json(kept)).into_response())
}

/// An attachment of an incident
///
/// An alarm of the incident has to be open for this session: `POST /api/v1/viewings`. It is always handed out as a download, for `img` too.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/attachments/{number}", tag = "incidents",
    params(
        ("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("number" = u32, Path, description = "Its number there", minimum = 1, maximum = 2147483647, example = 1),
    ),
    responses(
        (status = 200, description = "The file", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "application/pdf")
        )),
        (status = 400, description = "No ULID, or no number", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or not opened: POST /api/v1/viewings comes first", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such incident or attachment", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was withdrawn, or its time is over", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database or the file cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<Response, Problem> {
    let id: IncidentId = place.id.parse().map_err(|error| Problem::parameter("id", error))?;
    let number = place.number.parse().ok().filter(|number| *number > 0);
    let number: u32 = number.ok_or_else(|| Problem::parameter("number", "a number from 1 on is needed"))?;
    find(&app, &caller, id).await?;
    let attachment = app.store.attachment(id, number).await?;
    let attachment = attachment
        .ok_or_else(|| Problem::not_found(format!("incident {id} has no attachment {number}")))?
        .map_err(|_| Problem::new(StatusCode::GONE, "it was withdrawn, or its time is over"))?;
    if !app.store.look_at_attachment(&caller.session.hash, id, &attachment, Timestamp::now()).await? {
        let detail = "first say what you look at it for: POST /api/v1/viewings with an alarm of this incident, and the incident if it is open \
            or else a reason; that holds for 15 minutes";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let bytes = read(&app, &attachment).await?;
    let disposition = disposition(&attachment);
    let media_type = HeaderValue::from_static(attachment.format.media_type());
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, UNCOVERED),
        (header::CONTENT_SECURITY_POLICY, INERT),
    ];
    Ok((headers, bytes).into_response())
}

/// The bytes that were attached, or nothing.
async fn read(app: &App, attachment: &KeptAttachment) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: &dyn std::fmt::Display| {
        tracing::error!(attachment = %attachment.id, %error, "an attachment cannot be read");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be read; the hub's log says why")
    };
    let bytes = app.attachments.folder().read(attachment.id).await.map_err(|error| unreadable(&error))?;
    if hex(&Sha256::digest(&bytes)) == attachment.sha256 {
        Ok(bytes)
    } else {
        Err(unreadable(&"its bytes are not those that were attached"))
    }
}

/// A download of this name (RFC 6266): in ASCII for programs that know no better, and as it is (RFC 8187).
fn disposition(attachment: &KeptAttachment) -> HeaderValue {
    use std::fmt::Write as _;
    let end = match attachment.format {
        Format::Jpeg => "jpg",
        Format::Png => "png",
        Format::WebP => "webp",
        Format::Pdf => "pdf",
    };
    let mut text =
        format!("attachment; filename=\"attachment-{}.{end}\"; filename*=UTF-8''", attachment.number);
    for byte in attachment.name.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::AttachmentId;

    #[test]
    fn a_download_has_its_name_whatever_it_is() {
        let named = |sent: &str| {
            let name = FileName::of(sent, Format::Pdf);
            let (id, format) = (AttachmentId::new(), Format::Pdf);
            let header = disposition(&KeptAttachment { id, number: 3, name, format, sha256: String::new() });
            header.to_str().unwrap().to_owned()
        };
        let plain = "attachment; filename=\"attachment-3.pdf\"; filename*=UTF-8''";
        assert_eq!(named("bill 7.pdf"), format!("{plain}bill%207.pdf"));
        assert_eq!(named("发票.pdf"), format!("{plain}%E5%8F%91%E7%A5%A8.pdf"));
        assert_eq!(named("a'b;c%\"d.pdf"), format!("{plain}a%27b%3Bc%25_d.pdf"));
    }
}
