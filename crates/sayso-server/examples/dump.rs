//! tmp
fn main() { std::fs::write("/tmp/ex/openapi.json", sayso_server::openapi()).unwrap(); std::fs::write("/tmp/ex/problems.md", sayso_server::problem::reference_markdown()).unwrap(); std::fs::write("/tmp/ex/config.md", sayso_server::config::reference_markdown()).unwrap(); }
