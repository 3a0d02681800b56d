//! The linli gateway: configuration, supervision, commands, web, CLI and demo.
