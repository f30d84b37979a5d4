//! The page that lists every setting, made from the example file.

use std::fmt::Write;

use super::EXAMPLE;

/// The page, in Markdown, for `docs/reference/configuration.md`.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\nOrder: the command line, then the environment (`SAYSO_SECTION__KEY`), then the file, \
         then the default. Unknown settings are refused. An error names the place, the key, the value and the fix, \
         and nothing starts.\n",
    );
    let mut comment = String::new();
    let mut section = "";
    for line in EXAMPLE.lines().skip_while(|line| !line.starts_with('[')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            let _infallible = write!(
                page,
                "\n## {name}\n\n| Setting | Variable | Default | Meaning |\n|---|---|---|---|\n"
            );
        } else if let Some(text) = line.strip_prefix("# ") {
            comment.push_str(if comment.is_empty() { "" } else { " " });
            comment.push_str(text);
        } else if let Some((key, default)) = line.split_once(" = ") {
            let variable = format!("SAYSO_{}__{}", section.to_uppercase(), key.to_uppercase());
            let _infallible =
                writeln!(page, "| `{section}.{key}` | `{variable}` | `{default}` | {comment} |");
            comment.clear();
        }
    }
    page
}
