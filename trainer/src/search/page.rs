//! A page for a browser that shows a sweep and needs no other file.

use maud::{DOCTYPE, PreEscaped, html};

use super::results::Row;
use super::table::Table;

const STYLE: &str = "
body { font: 15px/1.5 sans-serif; color: #282828; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
tr.front td { font-weight: bold }
pre { white-space: pre-wrap; background: #f5f5f5; padding: .8rem }
";

/// The page: picture, table, and the lines of advice.
pub(super) fn html(title: &str, svg: &str, table: &Table, rows: &[Row], advice: &[String]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (PreEscaped(svg))
                pre { (advice.join("\n")) }
                table {
                    tr { @for name in &table.head { th { (name) } } }
                    @for (row, cells) in rows.iter().zip(&table.rows) {
                        tr.front[row.on_front] { @for cell in cells { td { (cell) } } }
                    }
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_not_markup() {
        let table = Table { head: vec!["a < b"], rows: vec![] };
        let page = html("<b>", "<svg></svg>", &table, &[], &["x & y".to_owned()]);
        assert!(page.contains("<title>&lt;b&gt;</title>") && page.contains("a &lt; b"));
        assert!(page.contains("<svg></svg>") && page.contains("x &amp; y"));
    }
}
