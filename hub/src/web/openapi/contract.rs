//! What the hub passes on as the contract with boxes has it, described as the contract describes it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

/// The contract's schema of a type, whole: it refers to nothing.
pub fn schema<T: JsonSchema>() -> RefOr<Schema> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    name_words(&mut schema);
    // Schemars writes nothing that cannot be read here; should it ever, any object is described.
    serde_json::from_value(schema).unwrap_or_else(|_| ObjectBuilder::new().into())
}

/// The document's library knows no `const`: one word to choose from says the same.
fn name_words(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(word) = fields.remove("const") {
                fields.insert("enum".to_owned(), Value::Array(vec![word]));
            }
            fields.values_mut().for_each(name_words);
        }
        Value::Array(items) => items.iter_mut().for_each(name_words),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_described_by_its_kind() {
        let order = serde_json::to_value(schema::<gatepost_wire::command::Order>()).unwrap();
        let kinds: Vec<_> = order["anyOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| &of["properties"]["kind"]["enum"][0])
            .collect();
        assert_eq!(kinds, ["release_original", "set_mode", "hold_evidence"], "{order:#}");
        assert!(!order.to_string().contains("$ref"), "{order:#}");
    }
}
