//! Builds the screens (`dashboards/web`) and writes the table of their files that `src/assets.rs` includes.

use linli_embed::build::Screens;

fn main() -> Result<(), String> {
    let screens = Screens {
        folder: "../../dashboards/web",
        inputs: &["src", "public", "index.html", "vite.config.ts", "tsconfig.json"],
        packages: "../../dashboards/web",
        script: "build",
        variable: "LINLI_WEB_DIST",
        program: "linli",
    };
    screens.embed()
}
