//! The catalog of hook points: as text by interface, or as JSON with every detail.

use serde_json::{Value, json};
use tenterhook_dispatch::{Face, HookPoint};

use crate::paint;
use crate::table::OutputFormat;

const FACES: [(Face, &str); 4] = [
    (Face::Croit, "croit's hooks"),
    (Face::Astra, "Astra's execution hooks"),
    (Face::Nova, "Nova's external events"),
    (Face::Fenix, "Fenix's maintenance sessions"),
];

/// Formats all hook points.
pub(super) fn all(format: OutputFormat) -> String {
    if format.is_json() {
        let points: Vec<_> = HookPoint::catalog().map(shape).collect();
        return format!("{}\n", Value::from(points));
    }
    let paint = paint::stdout();
    let mut text = String::new();
    for (face, title) in FACES {
        let points: Vec<_> = HookPoint::catalog().filter(|p| p.face == face).collect();
        let width = points.iter().map(|p| p.name.len()).max().unwrap_or(0);
        text += &format!("{}\n", paint.bold(title));
        for point in points {
            text += &format!("  {:width$}  {}\n", point.name, point.description);
        }
        text.push('\n');
    }
    text += &format!(
        "{}\n  custom.NAME  whatever happens in your own programs, such as custom.deployed\n",
        paint.bold("Your own")
    );
    text
}

fn shape(point: &HookPoint) -> Value {
    let parameters: Vec<_> = point
        .parameters
        .iter()
        .map(|own| {
            json!({
                "name": own.name,
                "description": own.description,
                "type": own.kind,
                "required": own.required,
            })
        })
        .collect();
    json!({
        "name": point.name,
        "face": point.face,
        "description": point.description,
        "can_choose_server": point.can_choose_server,
        "one_random_server": point.one_random_server,
        "parameters": parameters,
        "sample": point.sample_data(),
    })
}
