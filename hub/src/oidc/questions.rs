//! What the library asks of the provider goes the way of all the hub asks elsewhere.

use std::pin::Pin;

use axum::body::Body;
use axum::http::Request;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::config::SecureUrl;
use crate::outbound::{Outbound, OutboundError, Reads};

/// An answer of a provider is no longer than this.
const MOST_BYTES: usize = 1024 * 1024;

/// Asks a provider.
#[derive(Debug)]
pub(super) struct Questions {
    outbound: Outbound,
}

impl Questions {
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let (head, body) = request.into_parts();
        let wrong = |why: String| OutboundError::Failed(why.into());
        let url = SecureUrl::try_from(head.uri.to_string()).map_err(wrong)?;
        let mut asked = Request::builder().method(head.method);
        if let Some(headers) = asked.headers_mut() {
            *headers = head.headers;
        }
        let reads = Reads::Whole { most_bytes: MOST_BYTES };
        let answer = self.outbound.exchange(&url, asked, Body::from(body), reads).await?;
        if answer.status().is_server_error() {
            return Err(wrong(format!("HTTP {}", answer.status())));
        }
        Ok(answer.map(Into::into))
    }
}

impl<'c> AsyncHttpClient<'c> for Questions {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
