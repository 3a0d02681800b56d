//! The files that a configuration names: secrets as `file:PATH`, certificates under keys of their own.

/// Keys whose values are paths.
const PATHS: [&str; 4] = ["ca", "cert", "key", "printer_ca"];

/// What stands before the path of a secret.
const SECRET: &str = "file:";

/// Calls with each path in a value; what the call makes of it takes its place.
pub fn each(value: &mut toml::Value, call: &mut impl FnMut(&mut String)) {
    match value {
        toml::Value::String(text) => {
            if let Some(path) = text.strip_prefix(SECRET) {
                let mut path = path.to_owned();
                call(&mut path);
                *text = format!("{SECRET}{path}");
            }
        }
        toml::Value::Array(values) => values.iter_mut().for_each(|value| each(value, call)),
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                match value {
                    toml::Value::String(path)
                        if PATHS.contains(&key.as_str()) && !path.starts_with(SECRET) =>
                    {
                        call(path);
                    }
                    _ => each(value, call),
                }
            }
        }
        _ => {}
    }
}
