//! Whether two texts of JSON say the same: lists are sets, which servers write in any order.

use serde_json::Value;

use super::Secret;

/// Whether two values say the same.
pub fn is_alike(one: &Value, other: &Value) -> bool {
    let [one, other] = [one, other].map(|value| Secret(in_order(value)));
    one.0 == other.0
}

fn in_order(value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(in_order).collect();
            values.sort_by_cached_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| (name.clone(), in_order(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}
