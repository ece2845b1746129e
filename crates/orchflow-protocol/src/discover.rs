//! `rpc.discover`: the table tells itself as OpenRPC 1.3 (<https://spec.open-rpc.org>).

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::method::{Empty, Method, method};
use crate::table::{Entry, TABLE};

method! {
    /// Tells every method with its params, result and access, as an OpenRPC document.
    Discover = "rpc.discover", Read, Empty => Value
}

/// The OpenRPC document of the whole table.
#[must_use]
pub fn document() -> Value {
    let settings =
        SchemaSettings::draft07().with(|s| s.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let methods: Vec<Value> = TABLE.iter().map(|entry| describe(entry, &mut generator)).collect();
    let schemas: Map<String, Value> = generator.take_definitions(true);
    json!({
        "openrpc": "1.3.2",
        "info": { "title": "orchflow", "version": crate::VERSION },
        "methods": methods,
        "components": { "schemas": schemas },
    })
}

fn describe(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let schema = (entry.params)(generator).to_value();
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties =
        schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let params: Vec<Value> = properties
        .into_iter()
        .map(|(name, schema)| {
            json!({ "name": name, "required": required.contains(&Value::String(name.clone())), "schema": schema })
        })
        .collect();
    json!({
        "name": entry.name,
        "description": entry.doc.trim(),
        "paramStructure": "by-name",
        "params": params,
        "result": { "name": "result", "schema": (entry.result)(generator) },
        "x-access": entry.access,
    })
}

/// The entry of a method in the table.
pub(crate) const fn entry<M: Method>() -> Entry {
    Entry {
        name: M::NAME,
        doc: M::DOC,
        access: M::ACCESS,
        params: |generator| <M::Params as schemars::JsonSchema>::json_schema(generator),
        result: |generator| generator.subschema_for::<M::Result>(),
    }
}
