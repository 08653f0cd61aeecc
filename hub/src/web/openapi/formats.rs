//! Texts that have to look like something: schemas name the `format`, and here each gets its pattern, so that a program need not try.

use utoipa::Modify;
use utoipa::openapi::schema::{Array, ArrayItems, Schema, SchemaType};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OpenApi, PathItem, RefOr, SchemaFormat, Type};

/// What is no control character.
macro_rules! printable {
    ($besides:literal) => {
        concat!("[^", $besides, r"\u0000-\u001f\u007f-\u009f]")
    };
}

/// Formats of this API, and what a text of each looks like (ECMA 262).
const PATTERNS: &[(&str, &str)] = &[
    ("ulid", "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"),
    ("name", "^[a-z0-9-]{1,64}$"),
    ("person-name", "^[a-z0-9][a-z0-9._-]{0,31}$"),
    ("cursor", "^[0-9]{1,18}$"),
    ("place", "^[0-9]{1,18}(-[0-9]{1,18})?$"),
    // One line, and more of it than blanks.
    ("line", concat!("^", printable!(""), "*", printable!(r"\s"), printable!(""), "*$")),
    // Line ends and tabs may be in it.
    (
        "lines",
        r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$",
    ),
];

/// Gives every text of one of these formats its pattern.
pub struct Formats;

impl Modify for Formats {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            let PathItem { get, put, post, delete, patch, .. } = item;
            let operations = [get, put, post, delete, patch].into_iter().flatten();
            for parameter in operations.flat_map(|operation| operation.parameters.iter_mut().flatten()) {
                if let RefOr::T(parameter) = parameter {
                    parameter.schema.iter_mut().for_each(dress);
                    parameter.schema.iter_mut().for_each(without_null);
                }
            }
        }
        let schemas = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
        schemas.for_each(dress);
    }
}

fn dress(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            if let Some(SchemaFormat::Custom(name)) = &object.format
                && let Some((_, pattern)) = PATTERNS.iter().find(|(format, _)| format == name)
            {
                object.pattern = Some((*pattern).to_owned());
            }
            object.properties.values_mut().for_each(dress);
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                dress(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(dress),
        Schema::AllOf(all) => all.items.iter_mut().for_each(dress),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(dress),
        _ => {}
    }
}

/// What stands in an address or a header may be left out, but is never null.
fn without_null(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && let SchemaType::Array(types) = &object.schema_type
        && let [one, Type::Null] | [Type::Null, one] = types.as_slice()
    {
        object.schema_type = SchemaType::Type(one.clone());
    }
}

/// A list of names of boxes or sites.
pub fn names() -> Array {
    list_of_names(Type::Array.into())
}

/// The same, or null.
pub fn names_or_null() -> Array {
    list_of_names(SchemaType::from_iter([Type::Array, Type::Null]))
}

fn list_of_names(of: SchemaType) -> Array {
    let format = SchemaFormat::Custom("name".to_owned());
    let name = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
    ArrayBuilder::new().schema_type(of).items(name).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known() {
        let document = serde_json::to_value(crate::web::document()).unwrap();
        let mut formats = std::collections::BTreeSet::new();
        collect(&document, &mut formats);
        let known = |format: &str| PATTERNS.iter().any(|(name, _)| *name == format);
        let standard = ["date-time", "password", "int32", "int64", "double", "binary"];
        for format in &formats {
            assert!(known(format) || standard.contains(&format.as_str()), "{format} has no pattern");
        }
        for (name, _) in PATTERNS {
            assert!(formats.contains(*name), "nothing is of format {name}");
        }
    }

    fn collect(value: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                if let (Some("string"), Some(format)) =
                    (fields.get("type").and_then(|t| t.as_str()), fields.get("format"))
                    && let Some(format) = format.as_str()
                {
                    into.insert(format.to_owned());
                    assert!(format != "ulid" || fields.contains_key("pattern"), "{fields:?}");
                }
                fields.values().for_each(|field| collect(field, into));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
}
