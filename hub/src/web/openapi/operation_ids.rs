//! Names of requests for programs made from the document: each only once, which the names of handlers are not.

use utoipa::Modify;
use utoipa::openapi::{OpenApi, PathItem};

/// Names each after its method and path: `GET /api/v1/incidents/{id}/timeline` is `getIncidentsIdTimeline`.
pub struct OperationIds;

impl Modify for OperationIds {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let PathItem { get, put, post, delete, patch, .. } = item;
            let methods = [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)];
            for (method, operation) in methods {
                if let Some(operation) = operation {
                    operation.operation_id = Some(name(method, path));
                }
            }
        }
    }
}

fn name(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |name, word| {
        let (first, rest) = word.split_at(1);
        name + &first.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_says_what_is_asked() {
        assert_eq!(name("get", "/api/v1/incidents/{id}/timeline"), "getIncidentsIdTimeline");
        assert_eq!(name("put", "/api/v1/session/second-factor"), "putSessionSecondFactor");
        assert_eq!(name("get", "/health/live"), "getHealthLive");
    }

    #[test]
    fn each_name_is_given_once() {
        let document = serde_json::to_value(crate::web::document()).unwrap();
        let mut names = BTreeSet::new();
        for operation in document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values())
        {
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation:#}");
        }
    }
}
