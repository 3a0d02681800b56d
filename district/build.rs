//! Builds the screens (`dashboards/district`) and writes the table of their files that `src/api/page.rs` includes. They
//! share design and parts with those of the gateway, and its packages.

use linli_embed::build::Screens;

fn main() -> Result<(), String> {
    let screens = Screens {
        folder: "../dashboards/district",
        inputs: &["src", "index.html", "vite.config.ts", "tsconfig.json", "../web/src", "../web/public"],
        packages: "../dashboards/web",
        script: "district",
        variable: "LINLI_DISTRICT_DIST",
        program: "linli-district",
    };
    screens.embed()
}
