//! The outlines that the map is drawn on: a GeoJSON file (RFC 7946) of the district's own, so that no map comes from the
//! internet.

use std::path::Path;

use serde_json::Value;

/// Largest file; what a phone draws at once.
const LARGEST: usize = 4 * 1024 * 1024;

/// No outlines: a map without a ground.
pub const NONE: &str = r#"{"type":"FeatureCollection","features":[]}"#;

/// Reads and checks a file; returns it in its shortest form.
///
/// # Errors
///
/// A sentence that says what is wrong and how it should be.
pub fn read(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    check(&bytes).map_err(|why| format!("{}: {why}", path.display()))
}

fn check(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > LARGEST {
        return Err(format!("has {} bytes, {LARGEST} at most; simplify the outlines", bytes.len()));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("is no JSON: {error}"))?;
    let mut shapes = 0;
    shape(&value, &mut shapes)?;
    if shapes == 0 {
        return Err("has no Polygon, MultiPolygon, LineString or MultiLineString to draw".to_owned());
    }
    Ok(value.to_string())
}

/// Walks collections and features down to what is drawn.
fn shape(value: &Value, shapes: &mut usize) -> Result<(), String> {
    let members = |name: &str| value[name].as_array().map_or(&[][..], Vec::as_slice);
    match value["type"].as_str() {
        Some("FeatureCollection") => members("features").iter().try_for_each(|one| shape(one, shapes)),
        Some("GeometryCollection") => members("geometries").iter().try_for_each(|one| shape(one, shapes)),
        Some("Feature") if value["geometry"].is_null() => Ok(()),
        Some("Feature") => shape(&value["geometry"], shapes),
        Some("Polygon" | "MultiPolygon" | "LineString" | "MultiLineString") => {
            *shapes += 1;
            positions(&value["coordinates"])
        }
        Some("Point" | "MultiPoint") => Ok(()),
        other => Err(format!("{other:?} is no type of GeoJSON")),
    }
}

/// Every position is a longitude and a latitude in degrees.
fn positions(value: &Value) -> Result<(), String> {
    let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
        return Err(format!("coordinates: {value} is no list of positions"));
    };
    if list.iter().any(Value::is_array) {
        return list.iter().try_for_each(positions);
    }
    match (list.first().and_then(Value::as_f64), list.get(1).and_then(Value::as_f64)) {
        (Some(lon), Some(lat)) if lon.abs() <= 180.0 && lat.abs() <= 90.0 => Ok(()),
        _ => Err(format!(
            "{value} is no longitude and latitude in degrees (WGS 84); convert the file, as with ogr2ogr -t_srs EPSG:4326"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_drawn_is_taken() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"name":"东"},"geometry":{"type":"Polygon","coordinates":[[[121.4,31.2],[121.5,31.2],[121.5,31.3],[121.4,31.2]]]}},
            {"type":"Feature","properties":null,"geometry":null}]}"#;
        assert!(check(text.as_bytes()).expect("it is right").contains("121.4"));
        check(NONE.as_bytes()).expect_err("nothing to draw");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_the_way_out() {
        for (text, part) in [
            ("{", "is no JSON"),
            (r#"{"type":"Topology"}"#, "no type of GeoJSON"),
            (r#"{"type":"Polygon","coordinates":[]}"#, "no list of positions"),
            (r#"{"type":"Polygon","coordinates":[[[351234.5,3456789.1]]]}"#, "EPSG:4326"),
            (r#"{"type":"LineString","coordinates":[["a","b"]]}"#, "degrees"),
        ] {
            let why = check(text.as_bytes()).expect_err(text);
            assert!(why.contains(part), "{part} in {why}");
        }
    }
}
