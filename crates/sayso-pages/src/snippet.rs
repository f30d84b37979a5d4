//! What a customer pastes into a page of theirs: a frame with a form, or a script that makes one.

use maud::{Markup, html};

/// A frame with a form, and the script that makes it as high as the form is.
///
/// The frame may run scripts and send the form, and go on to another page when the person presses
/// something; it may not reach into the page around it.
pub fn iframe(frame: &str, business: &str, script: &str) -> String {
    let markup: Markup = html! {
        iframe src=(frame) title=(business) width="100%" height="640" loading="lazy"
            sandbox="allow-forms allow-scripts allow-same-origin allow-top-navigation-by-user-activation"
            style="border:0;display:block" {}
        (script_tag(script))
    };
    markup.into_string()
}

/// A script that shows a form.
pub fn script(url: &str) -> String {
    script_tag(url).into_string()
}

fn script_tag(url: &str) -> Markup {
    html! { script async src=(url) {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_escaped() {
        let pasted = iframe(
            "https://a.example/f/x?embed=1&lang=en",
            "\"Ada\" & <Co>",
            "https://a.example/form.js",
        );
        assert!(pasted.contains("embed=1&amp;lang=en"), "{pasted}");
        assert!(pasted.contains("title=\"&quot;Ada&quot; &amp; &lt;Co&gt;\""), "{pasted}");
        assert!(
            pasted.ends_with("<script async src=\"https://a.example/form.js\"></script>"),
            "{pasted}"
        );
    }
}
